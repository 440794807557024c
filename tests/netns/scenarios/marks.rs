//! Marks: what others put on packets stays, and what looks like decider's own gets nobody anywhere.

use crate::world::{Family, GITHUB, OpenFlow, STRANGER, Setup, both};

#[test]
fn a_mark_that_comes_with_a_packet_opens_nothing() {
    let world = Setup::default().start();
    let rules = world.gateway.json(&["rules"]);
    let listener = rules[0]["mark"].as_str().unwrap();
    let gateway = &world.gateway.namespace;
    gateway.sh("nft 'add table inet others; add chain inet others in { type filter hook prerouting priority -300; }'");
    let mut flows = Family::BOTH.map(|family| {
        let address = world.clients[0].look_up("github.com", family)[0];
        OpenFlow::new(world.clients[0].connect(address, 22).unwrap())
    });
    // Let through directly, Envoy's own, a listener's, everything.
    for mark in ["0x00000200", "0x00000300", listener, "0xffffffff"] {
        gateway.sh(&format!(
            "nft 'flush chain inet others in; add rule inet others in iifname lan1 meta mark set {mark}'"
        ));
        both(|family| {
            world.clients[0].is_refused(STRANGER.of(family), 22);
            world.clients[0].is_refused(STRANGER.of(family), 8022);
            world.gateway.event(STRANGER.of(family), 22, "no-observation");
            world.gateway.event(STRANGER.of(family), 8022, "port-not-allowed");
            assert_eq!(world.internet.wire.to(STRANGER.of(family)), []);
        });
        // An allowed flow keeps its own way.
        assert!(flows.iter_mut().all(OpenFlow::is_alive), "{mark}");
        assert_eq!(world.internet.wire.leaked(), [], "{mark}");
    }
    world.gateway.adds_up();
}

/// Kubernetes' bits on packets, somebody's on the flow; counted behind all of decider's chains.
const OTHERS: &str = "
table inet others {
    counter whole { }
    counter broken { }
    chain in {
        type filter hook prerouting priority -300;
        iifname lan1 tcp dport 22 meta mark set 0x0000c001
    }
    chain known {
        type filter hook prerouting priority -151;
        iifname lan1 tcp dport 22 ct mark set ct mark or 0x00008000
    }
    chain behind {
        type filter hook prerouting priority -100;
        iifname lan1 tcp dport 22 meta mark and 0x0000c001 == 0x0000c001 ct mark and 0x00008000 == 0x00008000 counter name whole accept
        iifname lan1 tcp dport 22 counter name broken
    }
}";

#[test]
fn others_bits_go_through_untouched() {
    let world = Setup::default().start();
    let gateway = &world.gateway.namespace;
    gateway.sh(&format!("nft -f - <<'END'\n{OTHERS}\nEND"));
    for family in Family::BOTH {
        let address = world.clients[0].look_up("github.com", family)[0];
        let mut flow = OpenFlow::new(world.clients[0].connect(address, 22).unwrap());
        assert!(GITHUB.both().contains(&flow.server));
        assert!(flow.is_alive());
        world.clients[0].is_refused(STRANGER.of(family), 22);
        world.gateway.event(STRANGER.of(family), 22, "no-observation");
    }
    world.gateway.adds_up();
    let count = |name: &str| {
        let text = gateway.sh(&format!("nft -j list counter inet others {name}"));
        let listing: serde_json::Value = serde_json::from_str(&text).unwrap();
        listing["nftables"][1]["counter"]["packets"].as_u64().unwrap()
    };
    assert_eq!(count("broken"), 0);
    assert!(count("whole") >= 6, "{}", count("whole"));
    assert_eq!(world.internet.wire.leaked(), []);
}
