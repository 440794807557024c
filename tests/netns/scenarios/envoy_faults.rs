//! Envoy is killed or stands still: what goes to it is refused or waits, and never takes another way.

use nix::sys::signal::{Signal, kill};

use crate::world::{Covered, GITHUB, Hammer, STRANGER, Setup, World, both, eventually};

fn reached(world: &World) {
    both(|family| {
        let reached = world.covered(0).reach_name("github.com", family, 22).unwrap();
        assert!(GITHUB.both().contains(&reached));
    });
}

fn nothing_got_out(world: &World) {
    assert_eq!(world.internet.wire.leaked(), []);
    for stranger in STRANGER.both() {
        assert_eq!(world.internet.wire.to(stranger), []);
    }
}

pub fn a_killed_envoy(covered: Covered) {
    let world = Setup { covered, ..Setup::default() }.start();
    reached(&world);
    let hammer = Hammer::start(&world.covered(1));
    let old = world.gateway.envoy_pid();
    kill(old, Signal::SIGKILL).unwrap();
    // Refused or reset at once, but never let out directly.
    both(|family| drop(world.covered(0).reach(GITHUB.of(family), 22)));
    eventually("another Envoy", || (world.gateway.status()["envoy"]["restarts"] == 1).then_some(()));
    world.gateway.wait_until_ready();
    assert_ne!(world.gateway.envoy_pid(), old);
    reached(&world);
    hammer.strikes(100);
    drop(hammer);
    nothing_got_out(&world);
    world.gateway.adds_up();
}

#[test]
fn a_killed_envoy_is_started_again() {
    a_killed_envoy(Covered::Clients);
}

pub fn a_silent_envoy(covered: Covered) {
    let world = Setup { covered, ..Setup::default() }.start();
    reached(&world);
    let hammer = Hammer::start(&world.covered(1));
    let envoy = world.gateway.envoy_pid();
    kill(envoy, Signal::SIGSTOP).unwrap();
    world.gateway.wait_until_degraded("envoy");
    both(|family| {
        world.covered(0).is_refused(GITHUB.of(family), 22);
        let event = world.gateway.event(GITHUB.of(family), 22, "listener-not-ready");
        assert_eq!((&event["domain"], &event["verdict"]), (&"github.com".into(), &"deny".into()), "{event}");
    });
    kill(envoy, Signal::SIGCONT).unwrap();
    world.gateway.wait_until_ready();
    reached(&world);
    drop(hammer);
    nothing_got_out(&world);
    world.gateway.adds_up();
}

#[test]
fn a_silent_envoy_has_its_syns_refused() {
    a_silent_envoy(Covered::Clients);
}

pub fn without_any_envoy(covered: Covered) {
    let mut world = Setup { covered, ..Setup::default() }.build();
    world.gateway.leave_envoy_to_others();
    world.gateway.launch();
    world.gateway.wait_until_degraded("listener");
    both(|family| {
        let address = world.covered(0).look_up("github.com", family)[0];
        world.covered(0).is_refused(address, 22);
        world.gateway.event(address, 22, "listener-not-ready");
    });
    nothing_got_out(&world);
    world.gateway.adds_up();
    for address in GITHUB.both() {
        assert_eq!(world.internet.wire.to(address), []);
    }
}

#[test]
fn without_any_envoy_nothing_goes_direct() {
    without_any_envoy(Covered::Clients);
}
