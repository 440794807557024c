//! After `down` the kernel is as it was before the start, byte for byte, whatever others have there.

use nix::sys::signal::Signal;

use crate::world::{GITHUB, Gateway, STRANGER, Setup, World, both, kernel_state};

/// What other tools may well have, near and beside decider's own: tables, rules in front, behind and among, routes.
const FOREIGN: &str = "
    nft 'add table inet foreign; add chain inet foreign c { type filter hook prerouting priority -150; };
         add rule inet foreign c ip saddr 192.0.2.7 counter drop; add table ip nat; add table ip6 decider6;
         add set inet foreign s { type mark; elements = { 0x40000000 }; }'
    for family in -4 -6; do
        ip $family rule add pref 77 fwmark 0x7/0xff lookup 77
        ip $family rule add pref 531 fwmark 0x8/0xff lookup 77
        ip $family rule add pref 533 iif lan9 lookup main
        ip $family route add unreachable default table 77
        ip $family route add local default dev lo table 5301
    done
";

/// A start, some work, and an end by `end`: nothing may be different afterwards.
fn leaves_no_trace(world: &mut World, end: impl FnOnce(&mut Gateway)) {
    let before = kernel_state(&world.gateway.namespace);
    world.gateway.start();
    assert!(kernel_state(&world.gateway.namespace) != before);
    both(|family| {
        let client = &world.clients[0];
        client.is_refused(STRANGER.of(family), 22);
        assert_eq!(client.look_up("github.com", family), [GITHUB.of(family)]);
    });
    let envoy = world.gateway.envoy_pid();
    end(&mut world.gateway);
    assert!(!world.gateway.namespace.processes().contains(&envoy), "Envoy runs on");
    before.is_unchanged(&world.gateway.namespace);
    // The door is open again: that is what `down` is for.
    both(|family| assert_eq!(world.clients[0].reach(STRANGER.of(family), 22).unwrap(), STRANGER.of(family)));
}

#[test]
fn down_leaves_no_trace() {
    let mut world = Setup::default().build();
    leaves_no_trace(&mut world, Gateway::down);
    leaves_no_trace(&mut world, Gateway::down);
}

#[test]
fn down_leaves_what_is_others() {
    let mut world = Setup::default().build();
    world.gateway.namespace.sh(FOREIGN);
    leaves_no_trace(&mut world, Gateway::down);
}

#[test]
fn down_removes_what_a_killed_decider_left() {
    let mut world = Setup::default().build();
    world.gateway.namespace.sh(FOREIGN);
    leaves_no_trace(&mut world, |gateway| {
        gateway.end_by(Signal::SIGKILL);
        gateway.down();
    });
}

#[test]
fn a_clean_stop_with_an_open_door_leaves_no_trace() {
    let mut world = Setup::default().build();
    world.gateway.arguments.extend(["--on-exit".to_owned(), "open".to_owned()]);
    leaves_no_trace(&mut world, |gateway| gateway.end_by(Signal::SIGTERM));
}

#[test]
fn a_clean_stop_leaves_the_door_closed() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut world = Setup::default().start();
        world.gateway.end_by(signal);
        both(|family| {
            world.clients[0].is_shut_out(STRANGER.of(family), 22);
            world.clients[0].is_shut_out(STRANGER.of(family), 8022);
            world.clients[0].is_shut_out(GITHUB.of(family), 22);
        });
        assert_eq!(world.internet.wire.leaked(), []);
        world.gateway.down();
    }
}
