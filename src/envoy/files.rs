use serde_json::Value;

use super::host::Host;
use super::layout::Layout;
use super::resources::Resources;
use super::{bootstrap, clusters, listeners};
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
}

/// What Envoy is told so that it does a policy's part.
#[must_use]
pub fn render(policy: &Policy, host: Host) -> Files {
    let layout = Layout::new(&policy.spec().envoy.config_dir);
    Files {
        bootstrap: bootstrap::render(&layout, host, policy.spec().envoy.user.as_ref()),
        lds: listeners::render(policy, &layout, host.families),
        cds: clusters::render(policy, host.families),
    }
}
