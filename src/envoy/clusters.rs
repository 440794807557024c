use serde_json::{Value, json};

use super::host::{Families, Family};
use super::proto::{BUFFER_BYTES, MAX_CONNECTIONS, address, extension, keepalive, typed};
use crate::model::{Mark, Upstream};
use crate::policy::{Dns, Policy, Route, Rule};

/// `SOL_SOCKET` (asm-generic/socket.h).
const SOL_SOCKET: u32 = 1;
/// `SO_MARK` (asm-generic/socket.h).
const SO_MARK: u32 = 36;
/// Port of DNS.
const DNS_PORT: u16 = 53;

/// The clusters of a route: one a port and family of its clients.
pub fn clusters(policy: &Policy, route: &Route, families: Families) -> impl Iterator<Item = Value> {
    let (dns, upstream, rule) = (&policy.spec().dns, policy.spec().marks.upstream(), &route.rule);
    let each = rule.ports.iter().flat_map(move |&port| families.each().iter().map(move |&family| (port, family)));
    each.map(move |(port, family)| cluster(rule, port, family, dns, upstream))
}

/// Where a port of a rule leads, for clients of this family: the name of its filter chain says it, so that an Envoy that
/// runs can be asked what it makes of the port.
pub fn chain_name(rule: &Rule, port: u16, family: Family) -> String {
    format!("{port} {} {} {}", family.as_str(), rule.upstream, rule.name)
}

/// The cluster that a port of a rule leads to, for clients of this family. What leads elsewhere has another name: the one
/// can be made ready while the other serves.
pub fn cluster_name(rule: &Rule, port: u16, family: Family) -> String {
    format!("{} {}", rule.id, chain_name(rule, port, family))
}

fn cluster(rule: &Rule, port: u16, family: Family, dns: &Dns, mark: Mark) -> Value {
    let name = cluster_name(rule, port, family);
    let mut cluster = match rule.upstream {
        Upstream::Resolve => resolving(rule, port, family, dns),
        Upstream::Original => original(),
    };
    if let Value::Object(fields) = &mut cluster {
        fields.extend([
            ("name".to_owned(), json!(name)),
            ("connect_timeout".to_owned(), json!("10s")),
            ("per_connection_buffer_limit_bytes".to_owned(), json!(BUFFER_BYTES)),
            (
                "circuit_breakers".to_owned(),
                json!({
                    "thresholds": [{ "max_connections": MAX_CONNECTIONS, "max_pending_requests": MAX_CONNECTIONS }],
                }),
            ),
            ("upstream_bind_config".to_owned(), marked(mark)),
        ]);
    }
    typed("config.cluster.v3.Cluster", cluster)
}

/// The ruleset knows Envoy's connections by this mark and refuses those to private addresses.
fn marked(mark: Mark) -> Value {
    json!({
        "socket_options": [{
            "description": "SO_MARK",
            "level": SOL_SOCKET,
            "name": SO_MARK,
            "int_value": mark,
            "state": "STATE_PREBIND",
        }],
    })
}

/// The address and port that the client meant, as the listener has read them from its socket: its filter chains let none
/// through but the rule's own ports.
fn original() -> Value {
    json!({
        "type": "ORIGINAL_DST",
        "lb_policy": "CLUSTER_PROVIDED",
        "upstream_connection_options": { "tcp_keepalive": keepalive() },
    })
}

/// The rule's name, looked up over and over; a connection stays with the address that it began with. The other family
/// is tried only if the client's own fails (RFC 8305): the client's own attempts all end here, at Envoy.
fn resolving(rule: &Rule, port: u16, family: Family, dns: &Dns) -> Value {
    // The dot makes the name absolute: otherwise the resolver library looks into the host's own hosts file first.
    let absolute = format!("{}.", rule.name);
    let endpoint = json!({ "socket_address": { "address": absolute, "port_value": port } });
    json!({
        "upstream_connection_options": {
            "tcp_keepalive": keepalive(),
            "happy_eyeballs_config": { "first_address_family_version": family.as_str() },
        },
        "cluster_type": lookups(dns),
        "load_assignment": {
            "cluster_name": cluster_name(rule, port, family),
            "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": endpoint } }] }],
        },
    })
}

/// Both families, from the policy's resolvers, as often as the records say.
fn lookups(dns: &Dns) -> Value {
    extension(
        "envoy.clusters.dns",
        "extensions.clusters.dns.v3.DnsCluster",
        json!({
            "dns_lookup_family": "ALL",
            "all_addresses_in_single_endpoint": true,
            "respect_dns_ttl": true,
            "dns_failure_refresh_rate": { "base_interval": "0.5s", "max_interval": "5s" },
            "typed_dns_resolver_config": resolver(dns),
        }),
    )
}

/// None of the host's own search domains. Listeners wait for the first answer or failure, so that is made short.
fn resolver(dns: &Dns) -> Value {
    extension(
        "envoy.network.dns_resolver.cares",
        "extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
        json!({
            "resolvers": dns.resolvers.iter().map(|&ip| address(ip, DNS_PORT)).collect::<Vec<_>>(),
            "dns_resolver_options": { "no_default_search_domain": true },
            "query_timeout_seconds": 2,
            "query_tries": 2,
        }),
    )
}
