//! An allowed name that resolves to where no client of the internet should get is not believed.

use std::net::IpAddr;

use crate::world::{BannerServer, CLIENTS, Family, GATEWAY, GATEWAY_INSIDE, RESOLVER, Setup, Wire, both};

/// The response code.
const REFUSED: u16 = 5;

#[test]
fn private_and_own_addresses_are_not_believed() {
    let world = Setup::default().start();
    let _servers = [&world.clients[1].namespace, &world.gateway.namespace].map(|place| BannerServer::start(place, 22));
    let beside = Wire::watch(&world.clients[1].namespace);
    both(|family| {
        let elsewhere: &[&str] = match family {
            Family::V4 => &["127.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "224.0.0.1", "0.0.0.0"],
            Family::V6 => &["::1", "fe80::1", "fd12::1", "::ffff:10.77.2.2", "ff02::1", "64:ff9b::a00:1"],
        };
        let elsewhere = elsewhere.iter().map(|address| address.parse().unwrap());
        for address in elsewhere.chain([CLIENTS[1], GATEWAY, GATEWAY_INSIDE].map(|pair| pair.of(family))) {
            world.internet.zone.put("github.com", &[address]);
            // Refused: nothing of it gets to the client.
            let answer = world.clients[0].ask(RESOLVER.of(family), "github.com", family).unwrap();
            assert_eq!((answer.flags & 0xf, answer.addresses), (REFUSED, vec![]), "{address}");
            let event = world.gateway.event(address, 0, "private-address");
            assert_eq!(event["domain"], "github.com", "{event}");
            assert_eq!(explained(&world.gateway, world.clients[0].address(family), address), Some(1), "{address}");
        }
        world.clients[0].is_refused(CLIENTS[1].of(family), 22);
        world.gateway.event(CLIENTS[1].of(family), 22, "private-address");
        world.clients[0].is_refused(GATEWAY.of(family), 22);
        world.gateway.event(GATEWAY.of(family), 22, "local-service");
    });
    assert_eq!(beside.seen(), []);
    assert_eq!(world.internet.wire.leaked(), []);
}

fn explained(gateway: &crate::world::Gateway, client: IpAddr, dst: IpAddr) -> Option<i32> {
    let (client, dst) = (client.to_string(), dst.to_string());
    gateway.cli(&["explain", "--client", &client, "--dst", &dst, "--port", "22"]).status.code()
}
