//! The policy's words about how to refuse: audit refuses nothing and tells all, `deny: drop` says nothing.

use std::io::ErrorKind;
use std::net::SocketAddr;

use crate::world::{GITHUB, OTHER_RESOLVER, RawSender, STRANGER, Setup, both, datagram, listener_connections};

#[test]
fn audit_lets_everything_through_and_tells_what_it_would_have_refused() {
    let world = Setup { top: "mode: audit", ..Setup::default() }.start();
    assert_eq!(world.gateway.status()["mode"], "audit");
    both(|family| {
        let client = &world.clients[0];
        for (port, reason) in [(22, "no-observation"), (8022, "port-not-allowed")] {
            assert_eq!(client.reach(STRANGER.of(family), port).unwrap(), STRANGER.of(family));
            let event = world.gateway.event(STRANGER.of(family), port, reason);
            assert_eq!(event["verdict"], "audit", "{event}");
        }
        let from = SocketAddr::new(client.address(family), 5000);
        let to = SocketAddr::new(STRANGER.of(family), 9999);
        RawSender::new(&client.namespace).send(&datagram(from, to, b"hello"));
        assert_eq!(world.gateway.event(STRANGER.of(family), 9999, "proto-not-allowed")["verdict"], "audit");
        assert!(client.ask(OTHER_RESOLVER.of(family), "github.com", family).is_some());
        world.gateway.event(OTHER_RESOLVER.of(family), 53, "resolver-not-trusted");
        // Directly from the client: nothing was in its way.
        let seen = world.internet.wire.to(STRANGER.of(family));
        assert_eq!(seen.iter().filter(|flow| flow.from == client.address(family)).count(), 3, "{seen:?}");
        // What a rule allows takes its listener, as it would under `enforce`.
        let before = listener_connections(&world.gateway)["github.com"];
        assert!(GITHUB.both().contains(&client.reach_name("github.com", family, 22).unwrap()));
        assert_eq!(listener_connections(&world.gateway)["github.com"], before + 1);
    });
    world.gateway.adds_up();
}

#[test]
fn a_silent_refusal_is_silent() {
    let world = Setup { top: "deny: drop", ..Setup::default() }.start();
    both(|family| {
        for (port, reason) in [(22, "no-observation"), (8022, "port-not-allowed")] {
            let to = SocketAddr::new(STRANGER.of(family), port);
            let patience = std::time::Duration::from_millis(700);
            let error = world.clients[0].namespace.enter(|| std::net::TcpStream::connect_timeout(&to, patience));
            assert_eq!(error.unwrap_err().kind(), ErrorKind::TimedOut, "{to}");
            world.gateway.event(STRANGER.of(family), port, reason);
        }
    });
    assert_eq!(world.internet.wire.leaked(), []);
    both(|family| assert!(world.clients[0].reach_name("github.com", family, 22).is_ok()));
}
