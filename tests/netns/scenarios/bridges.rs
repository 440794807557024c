//! Clients behind a bridge, as containers are, with and without `br_netfilter`, which hands a bridge's packets to netfilter
//! once more: each connection takes the way that it takes without a bridge.

use crate::world::{GITHUB, RESOLVER, STRANGER, Setup, World, both, eventually};

/// What container engines set, and what they may leave as it is.
const SETTINGS: [&str; 2] = ["1", "0"];

fn set(world: &World, filtered: &str) {
    world.gateway.namespace.sh(&format!(
        "if [ -e /proc/sys/net/bridge ]; then
            sysctl -qw net.bridge.bridge-nf-call-iptables={filtered} net.bridge.bridge-nf-call-ip6tables={filtered}
        fi"
    ));
}

/// The first client moves behind a bridge that takes over its interface's name and addresses.
fn bridge(world: &World) {
    world.gateway.namespace.sh("
        ip link set lan1 down; ip addr flush dev lan1; ip link set lan1 name port1
        ip link add lan1 type bridge; ip link set port1 master lan1; ip link set port1 up; ip link set lan1 up
        ip addr add 10.77.1.1/24 dev lan1; ip addr add fd77:1::1/64 dev lan1
    ");
    world.clients[0].settle();
    // The bridge's own addresses take a moment, as do its clients' neighbours.
    eventually("a way to the gateway", || {
        let answers = [RESOLVER.of(crate::Family::V4), RESOLVER.of(crate::Family::V6)];
        let heard = answers.map(|resolver| world.clients[0].ask(resolver, "gitlab.com", crate::Family::V4));
        heard.iter().all(Option::is_some).then_some(())
    });
}

fn goes_on(world: &World, filtered: &str) {
    both(|family| {
        let reached = world.clients[0].reach_name("github.com", family, 22);
        let reached = reached.unwrap_or_else(|error| panic!("bridge-nf-call {filtered}, {family:?}: {error}"));
        assert!(GITHUB.both().contains(&reached), "bridge-nf-call {filtered}, {family:?}: {reached}");
        // DNS over TCP, which has a listener of decider's own.
        drop(world.clients[0].connect(RESOLVER.of(family), 53).unwrap());
        world.clients[0].is_refused(STRANGER.of(family), 22);
        world.clients[0].is_refused(STRANGER.of(family), 8022);
    });
    assert_eq!(world.internet.wire.leaked(), [], "bridge-nf-call {filtered}");
    for stranger in STRANGER.both() {
        assert_eq!(world.internet.wire.to(stranger), [], "bridge-nf-call {filtered}");
    }
    world.gateway.adds_up();
}

#[test]
fn clients_of_a_bridge_that_was_there_before() {
    for filtered in SETTINGS {
        let mut world = Setup::default().build();
        set(&world, filtered);
        bridge(&world);
        world.gateway.start();
        goes_on(&world, filtered);
    }
}

#[test]
fn clients_of_the_first_bridge_of_all() {
    for filtered in SETTINGS {
        let world = Setup::default().start();
        set(&world, filtered);
        bridge(&world);
        // Until decider has seen the bridge, connections are refused: nothing leaks meanwhile, as is asked for last.
        eventually("a way through decider", || {
            let reaches = |family| world.clients[0].reach_name("github.com", family, 22).is_ok();
            crate::Family::BOTH.into_iter().all(reaches).then_some(())
        });
        goes_on(&world, filtered);
        // And as before once the ruleset has been away.
        world.gateway.namespace.sh("nft flush ruleset");
        world.gateway.wait_until_ready();
        eventually("the ruleset", || {
            world.gateway.namespace.try_sh("nft list table inet decider").status.success().then_some(())
        });
        goes_on(&world, filtered);
    }
}
