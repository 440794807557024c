//! What no rule allows is refused at once, nothing of it is seen at the far side, and an event says why.

use std::net::IpAddr;

use crate::world::{
    BannerServer, CLIENTS, DATABASE, GATEWAY, GATEWAY_INSIDE, GITHUB, STRANGER, Setup, Wire, World, both,
};

/// Refused, with that reason, and nothing of the client's was seen beyond the gateway.
fn is_refused(world: &World, address: IpAddr, port: u16, reason: &str) {
    world.clients[0].is_refused(address, port);
    let event = world.gateway.event(address, port, reason);
    assert_eq!(event["verdict"], "deny", "{event}");
    let client = world.clients[0].addresses.both().map(|address| address.to_string());
    assert!(client.iter().any(|client| event["client"] == **client), "{event}");
    assert_eq!(world.internet.wire.leaked(), []);
    assert_eq!(world.internet.wire.to(address), []);
}

#[test]
fn a_stranger_on_a_port_with_rules() {
    let world = Setup::default().start();
    both(|family| is_refused(&world, STRANGER.of(family), 22, "no-observation"));
}

#[test]
fn an_allowed_name_on_another_port() {
    let world = Setup::default().start();
    both(|family| {
        let address = world.clients[0].look_up("github.com", family)[0];
        assert_eq!(address, GITHUB.of(family));
        is_refused(&world, address, 5432, "port-not-allowed");
        is_refused(&world, address, 8022, "port-not-allowed");
        // The kernel refused it by the port alone, but the event says which name was meant.
        assert_eq!(world.gateway.event(address, 8022, "port-not-allowed")["domain"], "github.com");
        let address = world.clients[0].look_up("db.example.com", family)[0];
        assert_eq!(address, DATABASE.of(family));
        is_refused(&world, address, 22, "port-not-allowed");
    });
}

#[test]
fn another_client() {
    let world = Setup::default().start();
    let _server = BannerServer::start(&world.clients[1].namespace, 22);
    let wire = Wire::watch(&world.clients[1].namespace);
    both(|family| {
        is_refused(&world, CLIENTS[1].of(family), 22, "no-observation");
        is_refused(&world, CLIENTS[1].of(family), 8022, "port-not-allowed");
    });
    assert_eq!(wire.seen(), []);
}

#[test]
fn the_gateways_own_services_and_envoys_listeners() {
    let world = Setup::default().start();
    let _servers = [22, 2222].map(|port| BannerServer::start(&world.gateway.namespace, port));
    let listener = world.gateway.json(&["rules"])[0]["listener_port"].as_u64().unwrap();
    both(|family| {
        for own in [GATEWAY_INSIDE, GATEWAY] {
            for port in [22, 2222, listener.try_into().unwrap()] {
                is_refused(&world, own.of(family), port, "local-service");
            }
        }
    });
}
