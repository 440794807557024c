use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::clusters::clusters;
use super::host::Families;
use super::layout::Layout;
use super::listeners::listener;
use super::resources::Resource;
use crate::model::{Mark, NamePattern, RuleId, Upstream};
use crate::policy::{Policy, Route};

/// What the routes of a policy come to, each by itself: ten thousand of them take a second to make, and from one policy to the
/// next most are the same. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts(Arc<Content>);

#[derive(Debug, Default, PartialEq)]
struct Content {
    around: Option<Around>,
    parts: Vec<Arc<Part>>,
}

/// What all parts follow from, beside each route.
#[derive(Debug, PartialEq)]
struct Around {
    layout: Layout,
    families: Families,
    listen: Ipv4Addr,
    resolvers: Vec<IpAddr>,
    mark: Mark,
}

/// What one route comes to.
#[derive(Debug, PartialEq)]
struct Part {
    of: Source,
    listener: Resource,
    clusters: Vec<Resource>,
}

/// What of a route that follows from.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Source {
    id: RuleId,
    name: NamePattern,
    ports: Vec<u16>,
    upstream: Upstream,
    listener_port: u16,
}

impl Parts {
    /// Those of a policy, where they are the same those of before.
    #[must_use]
    pub fn of(policy: &Policy, layout: Layout, families: Families, before: &Self) -> Self {
        let spec = policy.spec();
        let (listen, mark) = (spec.envoy.listen, spec.marks.upstream());
        let around = Around { layout, families, listen, resolvers: spec.dns.resolvers.clone(), mark };
        let is_as_before = before.0.around.as_ref() == Some(&around);
        let reusable = before.0.parts.iter().filter(|_| is_as_before);
        let old: HashMap<&Source, &Arc<Part>> = reusable.map(|part| (&part.of, part)).collect();
        let part = |route: &Route| {
            let of = Source::of(route);
            let made = old.get(&of).map(|&part| Arc::clone(part));
            made.unwrap_or_else(|| Arc::new(Part::new(of, policy, route, &around)))
        };
        let parts = policy.routes().iter().map(part).collect();
        Self(Arc::new(Content { around: Some(around), parts }))
    }

    /// The listeners, in the order of the rules.
    pub fn listeners(&self) -> impl Iterator<Item = Resource> {
        self.0.parts.iter().map(|part| part.listener.clone())
    }

    /// The clusters, in the order of the rules.
    pub fn clusters(&self) -> impl Iterator<Item = Resource> {
        self.0.parts.iter().flat_map(|part| part.clusters.iter().cloned())
    }
}

impl Part {
    fn new(of: Source, policy: &Policy, route: &Route, around: &Around) -> Self {
        let listener = listener(policy, route, &around.layout, around.families);
        let clusters = clusters(policy, route, around.families);
        Self { of, listener: Resource::new(&listener), clusters: clusters.map(|value| Resource::new(&value)).collect() }
    }
}

impl Source {
    fn of(route: &Route) -> Self {
        let rule = &route.rule;
        let (id, name, ports) = (rule.id.clone(), rule.name.clone(), rule.ports.clone());
        Self { id, name, ports, upstream: rule.upstream, listener_port: route.listener_port }
    }
}
