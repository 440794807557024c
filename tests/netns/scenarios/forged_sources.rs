//! A client that writes another source address into its packets gets nothing out by it: not even the gateway's refusal
//! goes to that address, for a refusal quotes what it refuses.

use std::net::{IpAddr, SocketAddr};

use crate::world::{
    Family, OTHER_RESOLVER, RESOLVER, RawSender, STRANGER, Segment, Setup, World, both, datagram, eventually,
};

#[test]
fn no_refusal_goes_to_an_address_that_a_client_made_up() {
    let networks = Setup::default();
    let everybody = Setup { networks: "", ..Setup::default() };
    for setup in [networks, everybody] {
        let world = setup.start();
        let client = RawSender::new(&world.clients[0].namespace);
        both(|family| {
            let forged = SocketAddr::new(STRANGER.of(family), 4444);
            for to in [OTHER_RESOLVER.of(family), RESOLVER.of(family), world.clients[1].address(family)] {
                for port in [22, 53, 8022] {
                    let to = SocketAddr::new(to, port);
                    client.send(&Segment::syn(forged, to).packet());
                    client.send(&datagram(forged, to, b"secret"));
                }
            }
        });
        were_refused(&world, 36);
        assert_eq!(world.internet.wire.beside_questions(), []);
    }
}

fn were_refused(world: &World, packets: u64) {
    eventually("a count of the forged packets", || {
        let refused = &world.gateway.status()["refused_in_kernel"];
        (refused["client-not-covered"].as_u64()? >= packets).then_some(())
    });
}

/// An address of the link means nothing on another one; a refusal would look for its owner on the internet's side.
#[test]
fn no_refusal_goes_to_an_address_of_the_link() {
    let world = Setup { networks: "", ..Setup::default() }.start();
    let client = RawSender::new(&world.clients[0].namespace);
    let own: IpAddr = "fe80::bad".parse().unwrap();
    let from = SocketAddr::new(own, 4444);
    for port in [22, 53, 8022] {
        for to in [STRANGER, RESOLVER].map(|pair| SocketAddr::new(pair.of(Family::V6), port)) {
            client.send(&Segment::syn(from, to).packet());
            client.send(&datagram(from, to, b"secret"));
        }
    }
    were_refused(&world, 12);
    let sought = world.gateway.namespace.sh("ip -6 neigh show dev wan0");
    assert!(!sought.contains("fe80::bad"), "{sought}");
    assert_eq!(world.internet.wire.beside_questions(), []);
}
