//! Envoy behind address translation, as one would have it without decider.

use std::process::Command;

use serde_json::{Value, json};

use super::{PORT, load};
use crate::world::{Family, Gateway, Process, STRANGER, envoy, eventually};

/// Every connection is translated to Envoy's listener, which has one server to connect to.
pub fn dnat_envoy(gateway: &Gateway) -> Process {
    let config = gateway.path("dnat-envoy.json");
    std::fs::write(&config, bootstrap().to_string()).unwrap();
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8).to_string();
    let mut command = Command::new(envoy());
    command.arg("--config-path").arg(config).args(["--disable-hot-restart", "--concurrency", &workers]);
    let process = Process::start(&gateway.namespace, command.args(["--log-level", "warning"]), &gateway.path("dnat"));
    let listens = || gateway.namespace.sh("ss -Hltn sport = :15100").lines().count() >= 2;
    eventually("Envoy's listeners", || listens().then_some(()));
    load(
        gateway,
        "table inet rival {
            chain translate {
                type nat hook prerouting priority dstnat
                iifname \"lan1\" meta nfproto ipv4 tcp dport 22 dnat ip to 10.77.1.1:15100
                iifname \"lan1\" meta nfproto ipv6 tcp dport 22 dnat ip6 to [fd77:1::1]:15100
            }
        }",
    );
    process
}

fn bootstrap() -> Value {
    let listener = |family: Family, any: &str| {
        json!({
            "name": format!("{family:?}"),
            "address": { "socket_address": { "address": any, "port_value": PORT } },
            "enable_reuse_port": false,
            "filter_chains": [{ "filters": [{
                "name": "envoy.filters.network.tcp_proxy",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                    "cluster": format!("{family:?}"),
                    "stat_prefix": format!("{family:?}"),
                },
            }] }],
        })
    };
    let cluster = |family: Family| {
        let server = json!({ "address": STRANGER.of(family), "port_value": 22 });
        json!({
            "name": format!("{family:?}"),
            "type": "STATIC",
            "circuit_breakers": { "thresholds": [{ "max_connections": 20_000, "max_pending_requests": 20_000 }] },
            "load_assignment": {
                "cluster_name": format!("{family:?}"),
                "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": { "socket_address": server } } }] }],
            },
        })
    };
    json!({ "static_resources": {
        "listeners": [listener(Family::V4, "0.0.0.0"), listener(Family::V6, "::")],
        "clusters": Family::BOTH.map(cluster),
    } })
}
