//! Marks: what others put on packets stays, and what looks like decider's own gets nobody anywhere.

use crate::world::{Covered, Family, GITHUB, OpenFlow, STRANGER, Setup, both};

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

/// Kubernetes' bits on packets, somebody's on the flow; counted behind all of decider's chains. `AT` is where the packets come
/// from, `FROM` the hook by which they come, `BY` the interface by which they come to Envoy.
const OTHERS: &str = "
table inet others {
    counter whole { }
    counter broken { }
    chain in {
        type TYPE hook FROM priority -300;
        AT tcp dport 22 meta mark set 0x0000c001
    }
    chain known {
        type TYPE hook FROM priority -151;
        AT tcp dport 22 ct mark set ct mark or 0x00008000
    }
    chain behind {
        type filter hook prerouting priority -100;
        BY tcp dport 22 meta mark and 0x0000c001 == 0x0000c001 ct mark and 0x00008000 == 0x00008000 counter name whole accept
        BY tcp dport 22 counter name broken
    }
}";

pub fn others_bits_go_through(covered: Covered) {
    let world = Setup { covered, ..Setup::default() }.start();
    let gateway = &world.gateway.namespace;
    let words = match covered {
        Covered::Clients | Covered::All => {
            [("TYPE", "filter"), ("FROM", "prerouting"), ("AT", "iifname lan1"), ("BY", "iifname lan1")]
        }
        // Envoy's own packets have a mark.
        Covered::Host => {
            [("TYPE", "route"), ("FROM", "output"), ("AT", "meta mark and 0xff003f00 == 0"), ("BY", "iifname lo")]
        }
    };
    let table = words.iter().fold(OTHERS.to_owned(), |table, (word, means)| table.replace(word, means));
    gateway.sh(&format!("nft -f - <<'END'\n{table}\nEND"));
    for family in Family::BOTH {
        let address = world.covered(0).look_up("github.com", family)[0];
        let mut flow = OpenFlow::new(world.covered(0).connect(address, 22).unwrap());
        assert!(GITHUB.both().contains(&flow.server));
        assert!(flow.is_alive());
        world.covered(0).is_refused(STRANGER.of(family), 22);
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

#[test]
fn others_bits_go_through_untouched() {
    others_bits_go_through(Covered::Clients);
}
