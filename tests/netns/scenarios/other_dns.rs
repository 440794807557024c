//! DNS goes to the policy's resolvers, and nowhere else.

use std::net::{IpAddr, UdpSocket};

use crate::world::{
    Client, Family, GATEWAY, GATEWAY_INSIDE, OTHER_RESOLVER, RESOLVER, STRANGER, Setup, both, eventually,
};

/// What an event says of DNS that cannot be read, and of DNS to somebody else.
const PLAIN: &str = "let the client ask a resolver of dns.resolvers over UDP or TCP, port 53";
const TRUSTED: &str = "let the client ask a resolver of dns.resolvers, or add this one there";

#[test]
fn dns_over_tcp_to_others_is_refused() {
    let world = Setup::default().start();
    both(|family| {
        for resolver in [OTHER_RESOLVER, GATEWAY, GATEWAY_INSIDE] {
            world.clients[0].is_refused(resolver.of(family), 53);
            world.gateway.event(resolver.of(family), 53, "resolver-not-trusted");
        }
        assert_eq!(world.internet.wire.to(OTHER_RESOLVER.of(family)), []);
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
fn dns_in_other_clothes_is_refused_and_the_event_says_what_to_do() {
    let world = Setup::default().start();
    both(|family| {
        let client = &world.clients[0];
        // DNS over TLS and over QUIC.
        client.is_refused(RESOLVER.of(family), 853);
        assert_eq!(world.gateway.event(RESOLVER.of(family), 853, "encrypted-dns")["hint"], PLAIN);
        send(client, family, RESOLVER.of(family), 853);
        eventually("an event of DNS over QUIC", || {
            let events = world.gateway.events();
            let is_it = |event: &&serde_json::Value| {
                event["dst"] == RESOLVER.of(family).to_string() && event["proto"] == "udp" && event["dst_port"] == 853
            };
            let event = events.iter().find(is_it)?;
            assert_eq!((&event["reason"], &event["hint"]), (&"encrypted-dns".into(), &PLAIN.into()), "{event}");
            Some(())
        });
        // Names asked of somebody on another link, as if it were one: mDNS and LLMNR.
        for port in [5353, 5355] {
            send(client, family, STRANGER.of(family), port);
            assert_eq!(world.gateway.event(STRANGER.of(family), port, "resolver-not-trusted")["hint"], TRUSTED);
        }
        client.is_refused(STRANGER.of(family), 5355);
        // And of everybody: the gateway takes no such packet for one that it has to forward.
        let everybody: [IpAddr; 2] = match family {
            Family::V4 => [[224, 0, 0, 251].into(), [224, 0, 0, 252].into()],
            Family::V6 => ["ff05::fb", "ff05::1:3"].map(|address| address.parse().unwrap()),
        };
        for (address, port) in everybody.into_iter().zip([5353, 5355]) {
            send(client, family, address, port);
            world.gateway.event(address, port, "resolver-not-trusted");
        }
        let explained = |port: &str| {
            let (client, dst) = (client.address(family).to_string(), STRANGER.of(family).to_string());
            world.gateway.json(&["explain", "--client", &client, "--dst", &dst, "--port", port])["reason"].clone()
        };
        assert_eq!((explained("853"), explained("5355")), ("encrypted-dns".into(), "resolver-not-trusted".into()));
    });
    assert_eq!(world.internet.wire.leaked(), []);
}

#[test]
fn a_rule_may_have_the_port_of_dns_over_tls() {
    let rules = "\n  - { domain: github.com, proto: tcp, port: 853 }\n";
    let world = Setup { rules, ..Setup::default() }.start();
    both(|family| {
        let address = world.clients[0].look_up("github.com", family)[0];
        // Nobody listens there, but it is the rule's own Envoy that takes the connection.
        drop(world.clients[0].connect(address, 853).unwrap());
        world.gateway.event(address, 853, "allowed");
        world.clients[0].is_refused(RESOLVER.of(family), 853);
        world.gateway.event(RESOLVER.of(family), 853, "no-observation");
    });
    assert_eq!(world.internet.wire.leaked(), []);
}

fn send(client: &Client, family: Family, to: IpAddr, port: u16) {
    client.namespace.enter(|| {
        UdpSocket::bind((client.address(family), 0)).unwrap().send_to(b"hello", (to, port)).unwrap();
    });
}
