use std::collections::{BTreeMap, HashMap};

use crate::decide::Way;
use crate::envoy::Listener;
use crate::model::{Mark, Slot, Upstream};
use crate::policy::{Policy, Spec};

/// Which way each mark and port led so far: of a policy, or of an Envoy that was left behind.
#[derive(Debug, Default)]
pub struct Ways(HashMap<(Mark, u16), Led>);

#[derive(Debug)]
struct Led {
    id: String,
    name: String,
    upstream: Upstream,
}

impl Ways {
    /// Of a policy in force.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let each_port =
            policy.routes().iter().flat_map(|route| route.rule.ports.iter().map(move |&port| (route, port)));
        let led = |(route, port): (&crate::policy::Route, u16)| {
            let Way { id, name, upstream } = Way::of(route);
            ((route.mark, port), Led { id: id.to_owned(), name: name.to_owned(), upstream })
        };
        Self(each_port.map(led).collect())
    }

    /// Of the listeners of an Envoy that was left behind; a listener's port says its mark, as it does in the policy.
    #[must_use]
    pub fn of_listeners(listeners: &BTreeMap<String, Listener>, spec: &Spec) -> Self {
        let mut ways = HashMap::new();
        for (id, listener) in listeners {
            let slot = listener.port.checked_sub(spec.envoy.first_port).map(Slot);
            let Some(mark) = slot.and_then(|slot| spec.marks.listener(slot)) else { continue };
            for (port, upstream, name) in listener.destinations() {
                ways.insert((mark, port), Led { id: id.clone(), name: name.to_owned(), upstream });
            }
        }
        Self(ways)
    }

    /// With those that another policy adds: it may have let connections through already. Where both know one it is the way
    /// of before, since nothing goes the new way until the old one is gone.
    #[must_use]
    pub fn and(mut self, policy: &Policy) -> Self {
        for (at, led) in Self::of(policy).0 {
            self.0.entry(at).or_insert(led);
        }
        self
    }

    /// The way of a connection with this mark to this port.
    #[must_use]
    pub fn get(&self, mark: Mark, port: u16) -> Option<Way<'_>> {
        self.0.get(&(mark, port)).map(|Led { id, name, upstream }| Way { id, name, upstream: *upstream })
    }
}
