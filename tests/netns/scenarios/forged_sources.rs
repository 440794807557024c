//! A client that writes another source address into its packets gets nothing out by it: not even the gateway's refusal
//! goes to that address, for a refusal quotes what it refuses.

use std::net::SocketAddr;

use crate::world::{OTHER_RESOLVER, RESOLVER, RawSender, STRANGER, Segment, Setup, both, datagram, eventually};

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
        eventually("a count of the forged packets", || {
            let refused = &world.gateway.status()["refused_in_kernel"];
            (refused["client-not-covered"].as_u64()? >= 36).then_some(())
        });
        assert_eq!(world.internet.wire.beside_questions(), []);
    }
}
