use std::net::{IpAddr, Ipv6Addr};

use serde_json::{Value, json};

use super::clusters::{chain_name, cluster_name};
use super::host::{Families, Family};
use super::layout::Layout;
use super::proto::{BUFFER_BYTES, address, extension, keepalive, typed};
use crate::policy::{Policy, Route};

/// The listener of a route. It takes what the kernel hands to it with its original destination (`transparent`).
///
/// Its filter chains ask for the rule's own ports. A connection made to the listener itself has the listener's port,
/// fits none and is closed; see [`closed`] for a rule that has this port too.
pub fn listener(policy: &Policy, route: &Route, layout: &Layout, families: Families) -> Value {
    let id = route.rule.id.as_str();
    let at = |ip: IpAddr| address(ip, route.listener_port);
    let others: Vec<Value> = match families {
        Families::Both => vec![json!({ "address": at(Ipv6Addr::LOCALHOST.into()) })],
        Families::V4Only => vec![],
    };
    typed(
        "config.listener.v3.Listener",
        json!({
            "name": id,
            "stat_prefix": id,
            "address": at(policy.spec().envoy.listen.into()),
            "additional_addresses": others,
            "transparent": true,
            // A port that another program has is an error, not shared with it.
            "enable_reuse_port": false,
            "per_connection_buffer_limit_bytes": BUFFER_BYTES,
            "tcp_keepalive": keepalive(),
            "listener_filters": [original_destination()],
            "filter_chains": chains(route, layout, families),
        }),
    )
}

/// Reads where the client meant to go from the socket. Otherwise a listener that is bound to one address takes that
/// for it.
fn original_destination() -> Value {
    extension(
        "envoy.filters.listener.original_dst",
        "extensions.filters.listener.original_dst.v3.OriginalDst",
        json!({}),
    )
}

fn chains(route: &Route, layout: &Layout, families: Families) -> Vec<Value> {
    let each = families.each().iter().copied();
    let of_port = |&port: &u16| each.clone().map(move |family| chain(route, port, family, layout));
    let mut chains: Vec<Value> = route.rule.ports.iter().flat_map(of_port).collect();
    if route.rule.ports.contains(&route.listener_port) {
        chains.extend(each.map(|family| closed(route.listener_port, family)));
    }
    chains
}

/// Where the rule has the listener's own port too, its port does not tell who meant the listener itself; its address does.
/// Without filters, a connection is closed.
fn closed(port: u16, family: Family) -> Value {
    let (loopback, length) = match family {
        Family::V4 => ("127.0.0.0", 8),
        Family::V6 => ("::1", 128),
    };
    json!({
        "name": format!("closed {}", family.as_str()),
        "filter_chain_match": {
            "destination_port": port,
            "prefix_ranges": [{ "address_prefix": loopback, "prefix_len": length }],
        },
        "filters": [],
    })
}

fn chain(route: &Route, port: u16, family: Family, layout: &Layout) -> Value {
    let proxy = extension(
        "envoy.filters.network.tcp_proxy",
        "extensions.filters.network.tcp_proxy.v3.TcpProxy",
        json!({
            "stat_prefix": route.rule.id.as_str(),
            "cluster": cluster_name(&route.rule, port, family),
            "idle_timeout": "0s",
            "access_log": [access_log(route, layout)],
            "access_log_options": { "flush_access_log_on_connected": true },
        }),
    );
    let anywhere = match family {
        Family::V4 => "0.0.0.0",
        Family::V6 => "::",
    };
    json!({
        "name": chain_name(&route.rule, port, family),
        "filter_chain_match": {
            "destination_port": port,
            "prefix_ranges": [{ "address_prefix": anywhere, "prefix_len": 0 }],
        },
        "filters": [proxy],
    })
}

/// A line when the upstream answers, and one at the end.
fn access_log(route: &Route, layout: &Layout) -> Value {
    let format = json!({
        "ts": "%START_TIME%",
        "kind": "%ACCESS_LOG_TYPE%",
        "rule": literal(route.rule.id.as_str()),
        "domain": literal(route.rule.name.as_str()),
        "client": "%DOWNSTREAM_REMOTE_ADDRESS%",
        "dst": "%DOWNSTREAM_LOCAL_ADDRESS%",
        "upstream": "%UPSTREAM_REMOTE_ADDRESS%",
        "upstream_local": "%UPSTREAM_LOCAL_ADDRESS%",
        "bytes_from_client": "%BYTES_RECEIVED%",
        "bytes_to_client": "%BYTES_SENT%",
        "duration_ms": "%DURATION%",
        "flags": "%RESPONSE_FLAGS%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "failure": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    });
    extension(
        "envoy.access_loggers.file",
        "extensions.access_loggers.file.v3.FileAccessLog",
        json!({ "path": layout.access_log(), "log_format": { "json_format": format } }),
    )
}

/// Text that stands for itself in a format of Envoy's, where `%` begins a command.
fn literal(text: &str) -> String {
    text.replace('%', "%%")
}
