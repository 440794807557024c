//! `decider doctor` on a gateway at work: what gets in the way of clients is found, and what it says mends it.

use serde_json::Value;

use crate::world::{Family, GITHUB, STRANGER, Setup, World, both, eventually, kernel_state};

/// Every line that is not `ok`, but for those that are about the machine that the tests run on.
fn troubles(world: &World) -> Vec<Value> {
    let policy = world.gateway.path("policy.yaml").display().to_string();
    let report = world.gateway.json(&["doctor", &policy]);
    let findings = report["findings"].as_array().unwrap().iter();
    let of_machine = ["resolver.host", "resolver.docker", "resolver.caches", "time", "others.legacy"];
    let troubles = findings.filter(|finding| finding["level"] != "ok");
    troubles.filter(|finding| !of_machine.contains(&finding["name"].as_str().unwrap())).cloned().collect()
}

/// The one check that complains, and its command carried out.
fn mend(world: &World, check: &str) {
    let troubles = troubles(world);
    assert_eq!(troubles.len(), 1, "{troubles:#?}");
    assert_eq!(troubles[0]["name"], check, "{troubles:#?}");
    world.gateway.namespace.sh(troubles[0]["fix"].as_str().unwrap());
    assert_eq!(self::troubles(world), Vec::<Value>::new());
}

fn clients_work(world: &World, why: &str) {
    both(|family| {
        // Envoy, too, asks again only after a while where it had no answer.
        let reached = eventually(&format!("a way through after {why}, {family:?}"), || {
            world.clients[0].reach_name("github.com", family, 22).ok()
        });
        assert!(GITHUB.both().contains(&reached), "{why}");
        world.clients[0].is_refused(STRANGER.of(family), 22);
    });
    assert_eq!(world.internet.wire.leaked(), [], "{why}");
}

fn client_works_not(world: &World, family: Family) -> bool {
    let answer = world.clients[0].ask(crate::world::RESOLVER.of(family), "github.com", family);
    answer.is_none_or(|answer| world.clients[0].reach(answer.addresses[0], 22).is_err())
}

#[test]
fn a_gateway_at_work_is_well_and_is_left_as_it_is() {
    let world = Setup::default().start();
    clients_work(&world, "before");
    let before = kernel_state(&world.gateway.namespace);
    assert_eq!(troubles(&world), Vec::<Value>::new());
    before.is_unchanged(&world.gateway.namespace);
    clients_work(&world, "after");
}

#[test]
fn before_the_start_it_says_so_and_leaves_no_trace() {
    let world = Setup::default().build();
    let before = kernel_state(&world.gateway.namespace);
    let troubles = troubles(&world);
    assert_eq!(troubles.len(), 1, "{troubles:#?}");
    assert_eq!(troubles[0]["name"], "daemon");
    before.is_unchanged(&world.gateway.namespace);
}

/// What others set (distributions, VPNs, firewalls), which of a client's connections it breaks, and who finds it.
const IN_THE_WAY: [(&str, &str, &[Family]); 9] = [
    ("sysctl -qw net.ipv4.conf.wan0.rp_filter=2", "settings.rp_filter", &[Family::V4]),
    ("sysctl -qw net.ipv4.conf.all.rp_filter=1", "settings.rp_filter", &[Family::V4]),
    ("sysctl -qw net.ipv4.conf.all.src_valid_mark=1", "settings.src_valid_mark", &[Family::V4]),
    ("sysctl -qw net.ipv4.tcp_fwmark_accept=1", "settings.tcp_fwmark_accept", &[Family::V4]),
    ("sysctl -qw net.ipv4.ip_forward=0", "settings.forwarding4", &[Family::V4]),
    (
        "nft 'add table inet filter; add chain inet filter input { type filter hook input priority 0; policy drop; };
         add rule inet filter input ct state established,related accept; add rule inet filter input icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept;
         add rule inet filter input iifname lo accept'",
        "others.input",
        &Family::BOTH,
    ),
    (
        "nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 0; policy drop; };
         add rule inet filter forward ct state established,related accept'",
        "others.forward",
        &Family::BOTH,
    ),
    (
        "nft 'add table inet filter; add chain inet filter output { type filter hook output priority 0; policy drop; };
         add rule inet filter output ct state established,related accept; add rule inet filter output icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept;
         add rule inet filter output oifname lo accept'",
        "others.output",
        &Family::BOTH,
    ),
    ("ip rule add pref 100 lookup main; ip rule add pref 40000 lookup main", "routing.order", &[]),
];

#[test]
fn what_is_in_the_way_is_found_and_mended_by_what_it_says() {
    for (break_it, check, breaks) in IN_THE_WAY {
        let world = Setup::default().start();
        world.gateway.namespace.sh(break_it);
        for &family in breaks {
            assert!(client_works_not(&world, family), "{break_it} breaks nothing over {family:?}");
        }
        assert_eq!(world.internet.wire.leaked(), [], "{break_it}");
        mend(&world, check);
        clients_work(&world, break_it);
    }
}
