//! The proxy: what it sends does not come back to decider, and one that is slow is waited for with the door closed.

use std::process::Command;

use crate::world::{BannerServer, CLIENTS, Covered, ENVOY_USER, GITHUB, Process, STRANGER, Setup, both};

/// An allowed name that leads to another client: the proxy's connection leaves by a covered interface, and the answers come
/// in by it.
pub fn what_the_proxy_sends(covered: Covered) {
    let mut world = Setup { covered, dns: ", allow_private: true", ..Setup::default() }.build();
    world.internet.zone.put("db.example.com", &CLIENTS[1].both());
    world.gateway.start();
    let _server = BannerServer::start(&world.clients[1].namespace, 5432);
    both(|family| {
        let reached = world.covered(0).reach_name("db.example.com", family, 5432).unwrap();
        assert!(CLIENTS[1].both().contains(&reached), "{reached}");
        let event = world.gateway.event(CLIENTS[1].of(family), 5432, "allowed");
        match covered {
            Covered::Clients | Covered::All => {
                assert_eq!(event["client"], world.covered(0).address(family).to_string(), "{event}");
            }
            Covered::Host => assert_eq!(event["uid"], 0, "{event}"),
        }
    });
    let counters = world.gateway.adds_up();
    assert_eq!((&counters["queued"], &counters["allowed"]), (&2.into(), &2.into()), "{counters}");
    assert_eq!(world.internet.wire.leaked(), []);
}

#[test]
fn line_21_what_the_proxy_sends_does_not_come_back_to_the_queue() {
    what_the_proxy_sends(Covered::Clients);
}

/// Runs a program as Envoy's user, where it has one, with the rights that its listeners and its marks need.
fn as_its_user(covered: Covered) -> Command {
    match covered {
        Covered::Clients => Command::new("env"),
        Covered::Host | Covered::All => {
            let rights = "-all,+net_admin";
            let mut command = Command::new("setpriv");
            command.args([
                format!("--reuid={ENVOY_USER}"),
                format!("--regid={ENVOY_USER}"),
                "--clear-groups".to_owned(),
            ]);
            command.args([format!("--inh-caps={rights}"), format!("--ambient-caps={rights}")]);
            command
        }
    }
}

/// It is somebody else's to start (`manage: false`), and comes when decider has been at work for long.
pub fn an_envoy_that_is_slow_to_come(covered: Covered) {
    let mut world = Setup { covered, ..Setup::default() }.build();
    let envoy = world.gateway.leave_envoy_to_others();
    world.gateway.launch();
    world.gateway.wait_until_degraded("listener");
    both(|family| {
        let address = world.covered(0).look_up("github.com", family)[0];
        world.covered(0).is_refused(address, 22);
        world.gateway.event(address, 22, "listener-not-ready");
        world.covered(0).is_refused(STRANGER.of(family), 22);
        assert_eq!(world.internet.wire.to(address), []);
    });
    let mut command = as_its_user(covered);
    command.arg(envoy).arg("--disable-hot-restart").arg("-c").arg(world.gateway.path("envoy/bootstrap.json"));
    let _envoy = Process::start(&world.gateway.namespace, &mut command, &world.gateway.path("envoy-log"));
    world.gateway.wait_until_ready();
    both(|family| {
        let reached = world.covered(0).reach(GITHUB.of(family), 22).unwrap();
        assert!(GITHUB.both().contains(&reached));
    });
    world.gateway.adds_up();
    assert_eq!(world.internet.wire.leaked(), []);
}

#[test]
fn line_27_an_envoy_that_is_slow_to_come_is_waited_for_with_the_door_closed() {
    an_envoy_that_is_slow_to_come(Covered::Clients);
}
