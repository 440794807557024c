use serde_json::Value;

use super::bootstrap;
use super::host::Host;
use super::layout::Layout;
use super::parts::Parts;
use super::resources::Resources;
use crate::policy::Policy;

/// Envoy's configuration of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Files {
    /// What it starts with.
    pub bootstrap: Value,
    /// Its listeners.
    pub lds: Resources,
    /// Its clusters.
    pub cds: Resources,
    /// What they were made of.
    parts: Parts,
}

/// What Envoy is told so that it does a policy's part.
#[must_use]
pub fn render(policy: &Policy, host: Host) -> Files {
    Files::of(policy, host, &Parts::default())
}

impl Files {
    /// What Envoy is told by a policy that comes after the one of these: what is the same is not made again.
    #[must_use]
    pub fn next(&self, policy: &Policy, host: Host) -> Self {
        Self::of(policy, host, &self.parts)
    }

    /// The same with other listeners and clusters.
    #[must_use]
    pub fn with(&self, lds: Resources, cds: Resources) -> Self {
        Self { bootstrap: self.bootstrap.clone(), lds, cds, parts: self.parts.clone() }
    }

    fn of(policy: &Policy, host: Host, before: &Parts) -> Self {
        let layout = Layout::new(&policy.spec().envoy.config_dir);
        let bootstrap = bootstrap::render(&layout, host, policy.spec().envoy.user.as_ref());
        let parts = Parts::of(policy, layout, host.families, before);
        Self { bootstrap, lds: parts.listeners().collect(), cds: parts.clusters().collect(), parts }
    }
}
