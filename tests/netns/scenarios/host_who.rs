//! Events and `explain` say who of the gateway's own processes it was.

use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::world::{Covered, GATEWAY, GITHUB, RESOLVER, STRANGER, Setup, World, both, eventually};

/// A user of no machine.
const SOMEBODY: u32 = 64_333;

/// A shell of a user that connects, and then waits to be told something by the other side.
fn caller(world: &World, to: std::net::IpAddr, port: u16) -> Child {
    let script = format!("exec 3<>/dev/tcp/{to}/{port} && read -r line <&3 && read -r line <&3");
    let uid = format!("--reuid={SOMEBODY}");
    let mut command = Command::new("setpriv");
    command.args([&uid, "--clear-groups", "bash", "-c", &script]).stdin(Stdio::null()).stderr(Stdio::null());
    world.gateway.namespace.enter(|| command.spawn().unwrap())
}

fn is_bash(who: &Value, pid: u32) {
    assert_eq!((&who["uid"], &who["pid"]), (&SOMEBODY.into(), &pid.into()), "{who}");
    assert!(who["exe"].as_str().unwrap().ends_with("/bash"), "{who}");
    assert!(who["cgroup"].as_str().unwrap().starts_with('/'), "{who}");
}

#[test]
fn whoever_is_let_through_is_known_and_of_whoever_is_refused_at_least_the_user() {
    let world = Setup { covered: Covered::Host, ..Setup::default() }.start();
    let host = world.gateway.as_client();
    both(|family| {
        let github = host.look_up("github.com", family)[0];
        let mut child = caller(&world, github, 22);
        let event = world.gateway.event(github, 22, "allowed");
        let [client, dst] = [GATEWAY, GITHUB].map(|pair| pair.of(family).to_string());
        let explained = eventually("the connection", || {
            let arguments = ["explain", "--client", &client, "--dst", &dst, "--port", "22"];
            let explained = world.gateway.json(&arguments);
            explained["connected"].is_array().then_some(explained)
        });
        let row = String::from_utf8(world.gateway.cli(&["events", "-n", "1"]).stdout).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        is_bash(&event, child.id());
        is_bash(&explained["connected"][0], child.id());
        assert_eq!(explained["connected"][0]["client_port"], event["client_port"]);
        assert!(row.contains(&format!("by bash[{}], uid {SOMEBODY}", child.id())), "{row}");

        for (port, reason) in [(22, "no-observation"), (8022, "port-not-allowed")] {
            let mut child = caller(&world, STRANGER.of(family), port);
            child.wait().unwrap();
            let event = world.gateway.event(STRANGER.of(family), port, reason);
            assert_eq!(event["uid"], SOMEBODY, "{event}");
            // By the time that somebody looks, the connection may be gone; it is nobody else's.
            assert!(event["pid"].is_null() || event["pid"] == child.id(), "{event}");
        }
    });
}

#[test]
fn clients_of_a_gateway_are_nobody_of_this_host() {
    let world = Setup { covered: Covered::All, ..Setup::default() }.start();
    both(|family| {
        world.clients[0].reach_name("github.com", family, 22).unwrap();
        let event = world.gateway.event(GITHUB.of(family), 22, "allowed");
        for key in ["uid", "pid", "exe", "cgroup"] {
            assert!(event.get(key).is_none(), "{event}");
        }
    });
}

#[test]
fn what_is_refused_without_a_connection_has_its_user_too() {
    let world = Setup { covered: Covered::Host, dns: ", queries: policy", ..Setup::default() }.start();
    let host = world.gateway.as_client();
    both(|family| {
        let _ = host.ask(RESOLVER.of(family), "tunnel.example.net", family);
        let event = world.gateway.event_by("udp", RESOLVER.of(family), 53, "query-not-allowed");
        assert_eq!(event["uid"], 0, "{event}");
        let socket = host.namespace.enter(|| UdpSocket::bind((GATEWAY.of(family), 0)).unwrap());
        let _ = socket.send_to(b"x", (STRANGER.of(family), 9));
        let event = world.gateway.event_by("udp", STRANGER.of(family), 9, "proto-not-allowed");
        // This very process, and its socket is open still.
        assert_eq!((&event["uid"], &event["pid"]), (&0.into(), &std::process::id().into()), "{event}");
    });
}
