//! What clients look up and connect to: names below a wildcard rule, each at an address of its own.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::world::{Family, STRANGER, Zone};

/// Names that the client looks up; what is known beyond that is other clients'.
pub const MOST: usize = 10_000;
/// Those that it connects to, of the names that it knows: one client may leave hardly more to the kernel.
pub const CONNECTED: usize = 4_000;

/// The name by which the server is known whose first byte is waited for.
pub const SERVER: &str = "server.example";

/// A destination's name.
pub fn name(index: usize) -> String {
    format!("host-{index}.names.example")
}

/// A destination's address.
pub fn address(index: usize, family: Family) -> IpAddr {
    let index = u32::try_from(index).unwrap() + 1;
    match family {
        Family::V4 => Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 0, 0)) + index).into(),
        Family::V6 => {
            let base = u128::from(Ipv6Addr::new(0x2001, 0xdb8, 0x18, 0, 0, 0, 0, 0));
            Ipv6Addr::from(base + u128::from(index)).into()
        }
    }
}

/// Puts the destinations into a zone, and the server.
pub fn publish(zone: &Zone, count: usize) {
    zone.set_ttl(86_400);
    zone.put(SERVER, &STRANGER.both());
    for index in 0..count {
        zone.put(&name(index), &Family::BOTH.map(|family| address(index, family)));
    }
}

/// So many rules, of which one allows all destinations. The others allow names that nobody asks for.
pub fn rules_for_destinations(count: usize) -> String {
    rules("{ domain: \"*.names.example\", proto: ssh }", count, "")
}

/// So many rules, of which one allows the server. The others deny, so that Envoy has one listener, as behind address
/// translation.
pub fn rules_for_server(count: usize) -> String {
    let first =
        format!("{{ domain: {SERVER}, proto: ssh }}\n  - {{ domain: \"*.names.example\", proto: ssh, action: deny }}");
    rules(&first, count - 1, ", action: deny")
}

fn rules(first: &str, count: usize, action: &str) -> String {
    let mut text = format!("\n  - {first}");
    for index in 1..count {
        write!(text, "\n  - {{ domain: rule-{index}.other.example, proto: ssh{action} }}").unwrap();
    }
    text
}
