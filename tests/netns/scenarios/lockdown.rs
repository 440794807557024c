//! `decider lockdown`: the door is closed before decider runs, and stays closed until decider decides.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::world::{
    Family, GATEWAY, GATEWAY_INSIDE, GITHUB, Hammer, Namespace, STRANGER, Setup, World, both, kernel_state,
};

/// Runs the command on the policy; it has to end like this. What it said.
fn lockdown(world: &World, code: i32) -> String {
    let policy = world.gateway.path("policy.yaml").display().to_string();
    let output = world.gateway.cli(&["lockdown", &policy]);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

fn break_policy(world: &World) -> String {
    let good = std::fs::read_to_string(world.gateway.path("policy.yaml")).unwrap();
    world.gateway.write_policy(&good.replace("proto: ssh", "proto: shh"));
    good
}

/// All rulesets and routing rules, without what they count.
fn rules(world: &World) -> String {
    world.gateway.namespace.sh("nft --stateless list ruleset; ip rule; ip -6 rule")
}

fn connects(from: &Namespace, to: SocketAddr) -> bool {
    from.enter(|| TcpStream::connect_timeout(&to, Duration::from_secs(2)).is_ok())
}

fn no_client_gets_out(world: &World) {
    both(|family| {
        for port in [22, 8022] {
            world.clients[0].is_shut_out(STRANGER.of(family), port);
            world.clients[1].is_shut_out(GITHUB.of(family), port);
        }
    });
    assert_eq!(world.internet.wire.leaked(), []);
}

fn works_by_policy(world: &World) {
    both(|family| {
        let reached = world.clients[0].reach_name("github.com", family, 22).unwrap();
        assert!(GITHUB.both().contains(&reached));
        world.clients[0].is_refused(STRANGER.of(family), 22);
    });
}

#[test]
fn the_door_is_closed_before_the_start_and_at_every_moment_of_it() {
    let mut world = Setup::default().build();
    both(|family| assert!(world.clients[0].reach(STRANGER.of(family), 22).is_ok()));
    world.internet.wire.forget();

    assert!(lockdown(&world, 0).contains("closed until decider runs"));
    let closed = kernel_state(&world.gateway.namespace);
    lockdown(&world, 0);
    closed.is_unchanged(&world.gateway.namespace);
    no_client_gets_out(&world);
    // The gateway itself is not covered by this policy.
    both(|family| assert!(connects(&world.gateway.namespace, (GITHUB.of(family), 22).into())));

    let hammer = Hammer::start(&world.clients[0]);
    hammer.strikes(100);
    world.gateway.start();
    hammer.strikes(100);
    drop(hammer);
    works_by_policy(&world);
    assert!(lockdown(&world, 0).contains("decider runs"));
    works_by_policy(&world);
    assert_eq!(world.gateway.status()["heal"]["ruleset"], 0);
    assert_eq!(world.internet.wire.leaked(), []);
    for stranger in STRANGER.both() {
        assert_eq!(world.internet.wire.to(stranger), []);
    }
}

#[test]
fn nothing_is_asked_of_whoever_has_the_queue() {
    let world = Setup::default().build();
    lockdown(&world, 0);
    let ruleset = world.gateway.namespace.sh("nft list table inet decider");
    assert!(ruleset.contains("to_syn_queue") && !ruleset.contains("queue num"), "{ruleset}");
}

#[test]
fn either_layer_holds_without_the_other() {
    let world = Setup::default().build();
    lockdown(&world, 0);
    world.gateway.namespace.sh("nft flush ruleset");
    no_client_gets_out(&world);
    lockdown(&world, 0);
    world.gateway.namespace.sh("for family in -4 -6; do for n in 1 2; do ip $family rule del pref 533; done; done");
    no_client_gets_out(&world);
}

#[test]
fn a_broken_policy_closes_everything_but_links_and_replies() {
    let mut world = Setup::default().build();
    let good = break_policy(&world);
    let said = lockdown(&world, 1);
    assert!(said.contains("shh") && said.contains("all that leaves"), "{said}");
    let closed = rules(&world);
    lockdown(&world, 1);
    assert_eq!(rules(&world), closed);
    no_client_gets_out(&world);

    let gateway = &world.gateway.namespace;
    let server = gateway.enter(|| [Family::V4, Family::V6].map(listen));
    both(|family| {
        for to in [GITHUB.of(family), STRANGER.of(family)] {
            assert!(!connects(gateway, (to, 22).into()), "the gateway reached {to}");
            assert_eq!(world.internet.wire.to(to), []);
        }
        // Neighbours have to be found anew, and whoever comes in is answered: from outside, from a client, from here.
        gateway.sh("ip neigh flush all; ip -6 neigh flush all");
        let outside = SocketAddr::new(GATEWAY.of(family), PORT);
        assert!(connects(&world.internet.namespace, outside), "{outside} does not answer");
        assert!(connects(&world.clients[0].namespace, (GATEWAY_INSIDE.of(family), PORT).into()));
        assert!(connects(gateway, outside));
    });
    drop(server);

    // decider does not start either, and opens nothing by that.
    assert_eq!(world.gateway.failed_start().code, Some(1));
    assert_eq!(rules(&world), closed);

    world.gateway.write_policy(&good);
    let hammer = Hammer::start(&world.clients[0]);
    world.gateway.start();
    hammer.strikes(100);
    drop(hammer);
    works_by_policy(&world);
    assert_eq!(world.internet.wire.leaked(), []);
    both(|family| assert!(connects(&world.gateway.namespace, (GITHUB.of(family), 22).into())));
    world.gateway.down();
    both(|family| assert!(world.clients[0].reach(STRANGER.of(family), 22).is_ok()));
}

#[test]
fn down_opens_what_a_lockdown_closed() {
    for broken in [false, true] {
        let mut world = Setup::default().build();
        let before = kernel_state(&world.gateway.namespace);
        if broken {
            break_policy(&world);
        }
        lockdown(&world, i32::from(broken));
        world.gateway.down();
        before.is_unchanged(&world.gateway.namespace);
    }
}

#[test]
fn audit_mode_closes_nothing_and_says_so() {
    let world = Setup { top: "mode: audit", ..Setup::default() }.build();
    let before = kernel_state(&world.gateway.namespace);
    assert!(lockdown(&world, 0).contains("audit mode"));
    before.is_unchanged(&world.gateway.namespace);
}

const PORT: u16 = 2022;

fn listen(family: Family) -> TcpListener {
    let any: std::net::IpAddr = match family {
        Family::V4 => std::net::Ipv4Addr::UNSPECIFIED.into(),
        Family::V6 => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket =
        socket2::Socket::new(socket2::Domain::for_address((any, 0).into()), socket2::Type::STREAM, None).unwrap();
    if family == Family::V6 {
        socket.set_only_v6(true).unwrap();
    }
    socket.bind(&SocketAddr::from((any, PORT)).into()).unwrap();
    socket.listen(16).unwrap();
    socket.into()
}
