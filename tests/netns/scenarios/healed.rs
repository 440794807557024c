//! What other programs do to the kernel's state is put back within a second, is told of, and lets nothing out meanwhile.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::{
    CLIENTS, Client, Family, GITHUB, Hammer, Namespace, OpenFlow, STRANGER, Setup, World, both, eventually, within,
};

/// Shell lines that break something, and the counter of repairs that must go up.
const EDITS: [(&str, &str); 12] = [
    ("nft flush ruleset", "ruleset"),
    ("nft delete table inet decider", "ruleset"),
    ("nft flush chain inet decider deliver_client", "ruleset"),
    ("nft flush chain inet decider decide", "ruleset"),
    ("nft insert rule inet decider from_client accept", "ruleset"),
    ("nft add element inet decider ports '{ 8022 }'; nft delete element inet decider ports '{ 22 }'", "ruleset"),
    ("ip rule del pref 533 iif lan1", "routes"),
    ("ip -6 rule del pref 533 iif lan1", "routes"),
    ("ip rule del pref 530; ip -6 rule del pref 530", "routes"),
    ("ip route flush table 5300; ip -6 route flush table 5300", "routes"),
    ("ip rule flush; ip rule add pref 32766 lookup main", "routes"),
    ("ip -6 rule flush; ip -6 rule add pref 32766 lookup main", "routes"),
];

/// What the issue gives a repair.
const SOON: Duration = Duration::from_secs(1);

fn repairs(status: &Value, kind: &str) -> u64 {
    status["heal"][kind].as_u64().unwrap()
}

#[test]
fn every_edit_is_put_back_within_a_second() {
    let world = Setup::default().start();
    let good = kernel_state_of_decider(&world.gateway.namespace);
    let hammer = Hammer::start(&world.clients[0]);
    for (edit, kind) in EDITS {
        // The quickest of three counts: the machine may be busy.
        let quick = (0..3).map(|_| repair(&world, edit, kind, &good)).find(|took| *took < SOON);
        assert!(quick.is_some(), "{edit}: three repairs took longer than {SOON:?} each");
    }
    hammer.strikes(100);
    drop(hammer);
    world.gateway.adds_up();
    assert_eq!(world.internet.wire.leaked(), []);
    for stranger in STRANGER.both() {
        world.gateway.event(stranger, 22, "no-observation");
        assert_eq!(world.internet.wire.to(stranger), []);
    }
    both(|family| {
        let reached = world.clients[0].reach_name("github.com", family, 22).unwrap();
        assert!(GITHUB.both().contains(&reached));
    });
}

/// Breaks something and waits until it is whole again and told of: how long that took, asking included.
fn repair(world: &World, edit: &str, kind: &str, good: &str) -> Duration {
    let before = repairs(&world.gateway.status(), kind);
    world.gateway.namespace.sh(edit);
    let began = Instant::now();
    let healed = within(SOON * 5, || (kernel_state_of_decider(&world.gateway.namespace) == good).then_some(()));
    let took = began.elapsed();
    assert!(healed.is_some(), "{edit}: {}", kernel_state_of_decider(&world.gateway.namespace));
    eventually("a repair that is told of", || (repairs(&world.gateway.status(), kind) > before).then_some(()));
    took
}

/// decider's own part, without what packets change in it.
fn kernel_state_of_decider(namespace: &Namespace) -> String {
    namespace.sh("
        nft -s list table inet decider 2>&1 | sed '/set told/,/^\t}/d'
        for family in -4 -6; do
            ip $family rule | grep 'proto 222' | sort
            ip $family route show table 5300 || :
        done
    ")
}

#[test]
fn a_flow_goes_on_through_a_flushed_ruleset() {
    let world = Setup::default().start();
    let mut flows = Family::BOTH.map(|family| {
        let address = world.clients[0].look_up("github.com", family)[0];
        OpenFlow::new(world.clients[0].connect(address, 22).unwrap())
    });
    for edit in ["nft flush ruleset", "ip rule del pref 530", "ip -6 rule del pref 530"] {
        world.gateway.namespace.sh(edit);
        for flow in &mut flows {
            assert!(flow.is_alive(), "{edit}: a flow to {} broke", flow.server);
        }
    }
    assert_eq!(world.internet.wire.leaked(), []);
}

#[test]
fn without_decider_a_flushed_ruleset_lets_nothing_out() {
    let mut world = Setup::default().start();
    world.gateway.end_by(nix::sys::signal::Signal::SIGKILL);
    for edit in ["nft flush ruleset", ":"] {
        world.gateway.namespace.sh(edit);
        shut_out(&world);
    }
    world.gateway.start();
    world.gateway.end_by(nix::sys::signal::Signal::SIGKILL);
    world.gateway.namespace.sh("ip rule flush; ip rule add pref 32766 lookup main");
    world.gateway.namespace.sh("ip -6 rule flush; ip -6 rule add pref 32766 lookup main");
    shut_out(&world);
    assert_eq!(world.internet.wire.leaked(), []);
}

fn shut_out(world: &World) {
    both(|family| {
        for port in [22, 8022] {
            world.clients[0].is_shut_out(STRANGER.of(family), port);
            world.clients[0].is_shut_out(GITHUB.of(family), port);
        }
    });
}

#[test]
fn an_interface_that_comes_later_is_covered() {
    let world = Setup::default().start();
    let late = Client { namespace: Namespace::new(), addresses: CLIENTS[0] };
    world.gateway.namespace.link("lan9", &late.namespace, "eth0");
    world.gateway.namespace.sh("
        ip link set lan1 down; ip addr flush dev lan1
        ip addr add 10.77.1.1/24 dev lan9; ip addr add fd77:1::1/64 dev lan9
    ");
    late.namespace.sh("
        ip addr add 10.77.1.2/24 dev eth0; ip addr add fd77:1::2/64 dev eth0
        ip route add default via 10.77.1.1; ip -6 route add default via fd77:1::1
    ");
    late.settle();
    both(|family| {
        late.is_refused(STRANGER.of(family), 22);
        late.is_refused(STRANGER.of(family), 8022);
    });
    eventually("the lockdown of the new interface", || {
        let rules = world.gateway.namespace.sh("ip rule; ip -6 rule");
        (rules.matches("iif lan9").count() == 2).then_some(())
    });
    world.gateway.namespace.sh("nft flush ruleset");
    both(|family| late.is_shut_out(STRANGER.of(family), 22));
    assert_eq!(world.internet.wire.leaked(), []);
}
