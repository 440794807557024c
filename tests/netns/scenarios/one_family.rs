//! A gateway with one family of addresses alone: it starts, rules that one, and nothing of the other leaves.

use crate::world::{Family, GITHUB, STRANGER, Setup, World};

/// A gateway on which a command has been run before decider is started.
fn started_after(command: &str) -> World {
    let mut world = Setup::default().build();
    world.gateway.namespace.sh(command);
    world.gateway.start();
    world
}

/// The name is reached and a stranger is not.
fn is_ruled(world: &World, family: Family) {
    let client = &world.clients[0];
    assert_eq!(client.look_up("github.com", family), [GITHUB.of(family)]);
    assert!(client.connect(GITHUB.of(family), 22).is_ok(), "{family:?}");
    client.is_refused(STRANGER.of(family), 22);
}

/// Nothing of the other family gets anywhere.
fn has_no(world: &World, family: Family) {
    assert!(world.clients[0].connect(GITHUB.of(family), 22).is_err(), "{family:?}");
    assert_eq!(world.internet.wire.leaked(), []);
    world.gateway.adds_up();
}

#[test]
fn without_ipv6() {
    let world = started_after(
        "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6",
    );
    is_ruled(&world, Family::V4);
    has_no(&world, Family::V6);
}

#[test]
fn without_ipv4() {
    let world = started_after("ip -4 address flush scope global");
    is_ruled(&world, Family::V6);
    has_no(&world, Family::V4);
}
