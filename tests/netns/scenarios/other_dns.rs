//! DNS goes over UDP to the policy's resolvers, and nowhere else.

use std::net::SocketAddr;

use crate::world::{GATEWAY_INSIDE, OTHER_RESOLVER, RESOLVER, Setup, both};

#[test]
fn dns_over_tcp_is_refused() {
    let world = Setup::default().start();
    both(|family| {
        for (resolver, reason) in [(RESOLVER, "proto-not-allowed"), (OTHER_RESOLVER, "resolver-not-trusted")] {
            world.clients[0].is_refused(resolver.of(family), 53);
            world.gateway.event(resolver.of(family), 53, reason);
            assert_eq!(world.internet.wire.to(resolver.of(family)), []);
        }
    });
    assert_eq!(world.internet.wire.leaked(), []);
}

#[test]
fn other_resolvers_are_out_of_reach() {
    let world = Setup::default().start();
    both(|family| {
        for resolver in [OTHER_RESOLVER, GATEWAY_INSIDE] {
            assert_eq!(world.clients[0].ask(resolver.of(family), "github.com", family), None);
            let event = world.gateway.event(resolver.of(family), 53, "resolver-not-trusted");
            assert_eq!((&event["proto"], &event["path"]), (&"udp".into(), &"fast".into()), "{event}");
        }
        assert_eq!(world.internet.wire.to(OTHER_RESOLVER.of(family)), []);
        // The trusted one answers over the other family too.
        for over in RESOLVER.both() {
            assert!(world.clients[0].ask(over, "github.com", family).is_some());
        }
    });
    assert_eq!(world.internet.wire.leaked(), []);
}

#[test]
fn dns_in_other_clothes_is_refused() {
    let world = Setup::default().start();
    both(|family| {
        // DNS over TLS and over QUIC.
        world.clients[0].is_refused(RESOLVER.of(family), 853);
        world.gateway.event(RESOLVER.of(family), 853, "port-not-allowed");
        let to = SocketAddr::new(RESOLVER.of(family), 853);
        let from = SocketAddr::new(world.clients[0].address(family), 0);
        world.clients[0].namespace.enter(|| {
            std::net::UdpSocket::bind(from).unwrap().send_to(b"hello", to).unwrap();
        });
        world.gateway.event(RESOLVER.of(family), 853, "proto-not-allowed");
    });
    assert_eq!(world.internet.wire.leaked(), []);
}
