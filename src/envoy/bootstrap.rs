use serde_json::{Value, json};

use crate::policy::User;

use super::host::Host;
use super::layout::Layout;
use super::pattern::LARGEST_PATTERN;
use super::proto::extension;

/// What Envoy starts with: where it is asked how it is, where its listeners and clusters are, and its bounds.
pub fn render(layout: &Layout, host: Host, user: Option<&User>) -> Value {
    // decider connects to it, which may be root without the right to pass over modes. Nobody else gets into the directory.
    let mode = if user.is_some() { 0o666 } else { 0o600 };
    json!({
        "node": { "id": "decider", "cluster": "decider" },
        "admin": { "address": { "pipe": { "path": layout.admin(), "mode": mode } } },
        "dynamic_resources": {
            "lds_config": watched(&layout.lds()),
            "cds_config": watched(&layout.cds()),
        },
        "layered_runtime": { "layers": [{ "name": "decider", "static_layer": {
            // It is asked for its listeners and clusters by patterns of many names, which are larger than it lets pass.
            "re2": { "max_program_size": { "error_level": LARGEST_PATTERN } },
        } }] },
        "overload_manager": {
            "resource_monitors": [extension(
                "envoy.resource_monitors.global_downstream_max_connections",
                "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                json!({ "max_active_downstream_connections": host.connections() }),
            )],
        },
    })
}

/// A file that is read again whenever another is renamed over it.
fn watched(path: &std::path::Path) -> Value {
    json!({ "resource_api_version": "V3", "path_config_source": { "path": path } })
}
