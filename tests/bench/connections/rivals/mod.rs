//! The ways to a listener without decider.

mod dnat;

use std::fmt::Write;

use crate::listener::{Listener, Manner};
use crate::names;
use crate::world::{Family, Gateway, Process};

pub use dnat::dnat_envoy;

/// The port of a listener that connections are led to.
const PORT: u16 = 15_100;

/// Leads to the listener what has the mark 1, as decider's own routes do with its marks.
const ROUTES: &str = "
    for family in -4 -6; do
        ip $family rule add fwmark 1 lookup 100
        ip $family route add local default dev lo table 100
    done";

/// Hands a packet to the listener.
const TO_LISTENER: &str = "chain to_listener {
    meta nfproto ipv4 tcp dport 22 meta mark set 1 tproxy ip to 127.0.0.1:15100 accept
    meta nfproto ipv6 tcp dport 22 meta mark set 1 tproxy ip6 to [::1]:15100 accept
    drop
}";

/// All destinations are addresses of the gateway.
pub fn none(gateway: &Gateway) {
    gateway.namespace.sh("ip route add local 198.18.0.0/15 dev lo; ip -6 route add local 2001:db8:18::/48 dev lo");
    listen(gateway, 22, ["0.0.0.0", "::"]);
}

/// A firewall that lets new connections to what is in a set through, and nothing else.
pub fn nft_set(gateway: &Gateway, elements: usize) {
    let set = |family: Family, name: &str, kind: &str, elements: usize| {
        let mut text = format!("set {name} {{ type {kind} . inet_service; elements = {{");
        for index in 0..elements {
            write!(text, " {} . 22,", names::address(index, family)).unwrap();
        }
        text + " } }\n"
    };
    // A million of each would take nft ten gigabytes.
    let of_v6 = elements.min(names::MOST);
    let sets = set(Family::V4, "known4", "ipv4_addr", elements) + &set(Family::V6, "known6", "ipv6_addr", of_v6);
    load(
        gateway,
        &format!(
            "table inet rival {{
                {sets}
                {TO_LISTENER}
                chain from_client {{
                    type filter hook prerouting priority mangle
                    iifname != \"lan1\" accept
                    meta l4proto icmpv6 accept
                    ct state established,related goto to_listener
                    ct state invalid drop
                    ip daddr . tcp dport @known4 goto to_listener
                    ip6 daddr . tcp dport @known6 goto to_listener
                    drop
                }}
            }}"
        ),
    );
    led_to_listener(gateway);
}

/// A queue for new connections and nothing else, as decider has it. `program` serves it.
pub fn queue(gateway: &Gateway, program: fn(&Gateway) -> Process) -> Process {
    let program = program(gateway);
    // nft has no words for the queue on kernels that have it as a target of xtables only.
    gateway.namespace.sh("
        for table in iptables-nft ip6tables-nft; do
            $table -t mangle -A PREROUTING -i lan1 -p tcp --dport 22 -m conntrack --ctstate NEW -j NFQUEUE --queue-num 7
        done");
    load(
        gateway,
        &format!(
            "table inet rival {{
                {TO_LISTENER}
                chain deliver {{
                    type filter hook prerouting priority mangle + 1
                    iifname \"lan1\" meta l4proto tcp goto to_listener
                }}
            }}"
        ),
    );
    led_to_listener(gateway);
    program
}

fn led_to_listener(gateway: &Gateway) {
    gateway.namespace.sh(ROUTES);
    listen(gateway, PORT, ["127.0.0.1", "::1"]);
}

fn listen(gateway: &Gateway, port: u16, addresses: [&str; 2]) {
    for address in addresses {
        Listener::start(
            &gateway.namespace,
            (address.parse::<std::net::IpAddr>().unwrap(), port).into(),
            Manner::InPlaceOfEnvoy,
        );
    }
}

fn load(gateway: &Gateway, ruleset: &str) {
    let file = gateway.path("rival.nft");
    std::fs::write(&file, ruleset).unwrap();
    gateway.namespace.sh(&format!("nft -f {}", file.display()));
}
