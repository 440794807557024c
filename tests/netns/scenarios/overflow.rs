//! More packets than there is room for while nobody receives them: what is dropped is counted, and none goes on undecided.

use std::net::{SocketAddr, UdpSocket};

use serde_json::Value;

use crate::world::{Family, RESOLVER, RawSender, Segment, Setup, World, both, eventually};

use super::floods::somewhere;

/// More than the two queues hold, of 16,384 each.
const SYNS: u32 = 40_000;
/// More than a socket has room for.
const QUESTIONS: usize = 400;
/// Bytes of one.
const LONG: usize = 60_000;

/// What the kernel dropped at the queues that are for this.
fn dropped(status: &Value, purpose: &str) -> u64 {
    let queues = status["queues"].as_array().unwrap().iter().filter(|queue| queue["purpose"] == purpose);
    queues.map(|queue| queue["dropped_full"].as_u64().unwrap() + queue["dropped_socket"].as_u64().unwrap()).sum()
}

/// Sends while decider stands still; what was dropped in that time.
fn while_it_stands(world: &World, purpose: &str, send: impl FnOnce()) -> u64 {
    let before = dropped(&world.gateway.status(), purpose);
    world.gateway.freeze();
    send();
    world.gateway.thaw();
    world.gateway.wait_until_ready();
    dropped(&world.gateway.status(), purpose) - before
}

#[test]
pub(super) fn more_syns_than_there_is_room_for() {
    let world = Setup::default().start();
    both(|family| {
        let sender = RawSender::new(&world.clients[0].namespace);
        let from = world.clients[0].address(family);
        let before = world.gateway.status()["counters"]["denied"].as_u64().unwrap();
        let dropped = while_it_stands(&world, "syn", || {
            for number in 0..SYNS {
                let port = u16::try_from(1024 + number % 60_000).unwrap();
                let to = SocketAddr::new(somewhere(family, number), 22);
                sender.send(&Segment::syn(SocketAddr::new(from, port), to).packet());
            }
        });
        assert!(dropped > 0, "there was room for all");
        eventually("a decision of each that was not dropped", || {
            let denied = world.gateway.status()["counters"]["denied"].as_u64().unwrap();
            (denied - before + dropped == u64::from(SYNS)).then_some(())
        });
    });
    world.gateway.adds_up();
    world.works();
}

#[test]
pub(super) fn longer_questions_than_there_is_room_for() {
    let world = Setup::default().start();
    both(|family| {
        let client = &world.clients[0];
        let socket = client.namespace.enter(|| UdpSocket::bind((client.address(family), 0)).unwrap());
        let dropped = while_it_stands(&world, "dns", || {
            for _ in 0..QUESTIONS {
                // The interface may have no room for all fragments of one.
                let _ = socket.send_to(&vec![0xff; LONG], (RESOLVER.of(family), 53));
            }
        });
        assert!(dropped > 0, "there was room for all");
    });
    let questions = |family: Family| {
        let (from, to) = (world.clients[0].address(family), RESOLVER.of(family));
        world.internet.wire.seen().into_iter().filter(move |flow| flow.from == from && flow.to == to).count()
    };
    both(|family| assert_eq!(questions(family), 0, "what nobody looked at went on"));
    world.works();
}
