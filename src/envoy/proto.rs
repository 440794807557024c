//! What the files have in common: the shapes of Envoy's API, version 3.

use std::net::IpAddr;

use serde_json::{Value, json};

/// Connections that Envoy takes at a time at most; more are closed at once. Each may hold [`BUFFER_BYTES`] a direction.
pub const MAX_CONNECTIONS: u32 = 20_000;
/// Bytes that Envoy holds of a connection before it stops reading (a soft limit).
pub const BUFFER_BYTES: u32 = 64 * 1024;

/// A typed extension: its name, the type of its configuration, the configuration.
pub fn extension(name: &str, kind: &str, config: Value) -> Value {
    json!({ "name": name, "typed_config": typed(kind, config) })
}

/// A message that says its type.
pub fn typed(kind: &str, mut message: Value) -> Value {
    if let Value::Object(fields) = &mut message {
        fields.insert("@type".to_owned(), format!("type.googleapis.com/envoy.{kind}").into());
    }
    message
}

/// An address with a port.
pub fn address(ip: IpAddr, port: u16) -> Value {
    json!({ "socket_address": { "address": ip, "port_value": port } })
}

/// Probes that find a dead peer: flows have no idle time-out, since a shell may be silent for a night.
pub fn keepalive() -> Value {
    json!({ "keepalive_time": 120, "keepalive_interval": 30, "keepalive_probes": 4 })
}
