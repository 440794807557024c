use serde_json::{Value, json};

use super::host::Host;
use super::layout::Layout;
use super::proto::extension;

/// What Envoy starts with: where it is asked how it is, where its listeners and clusters are, and its bounds.
pub fn render(layout: &Layout, host: Host) -> Value {
    json!({
        "node": { "id": "decider", "cluster": "decider" },
        "admin": { "address": { "pipe": { "path": layout.admin(), "mode": 0o600 } } },
        "dynamic_resources": {
            "lds_config": watched(&layout.lds()),
            "cds_config": watched(&layout.cds()),
        },
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
