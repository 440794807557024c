//! The SYN leaves in the same instant as the answer arrives, before any program of the client could have read it: decider
//! already knows.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::world::{Family, Heard, Message, Question, RESOLVER, RawSender, Segment, Setup, Sniffer, World, both, flag};

const ROUNDS: u64 = 5_000;
const PORT: u16 = 40_000;

#[test]
fn a_syn_in_the_instant_of_the_answer_is_never_refused() {
    let world = Setup::default().start();
    both(|family| {
        let mut racer = Racer::new(&world, family);
        for round in 0..ROUNDS {
            let (address, flags) = racer.race();
            assert_eq!(flags, flag::SYN | flag::ACK, "round {round}: {address} over {family:?}");
        }
    });
    let counters = world.gateway.status()["counters"].clone();
    assert_eq!((&counters["allowed"], &counters["denied"]), (&(2 * ROUNDS).into(), &0.into()), "{counters}");
    assert_eq!(world.internet.wire.leaked(), []);
}

struct Racer {
    question: Vec<u8>,
    socket: UdpSocket,
    from: SocketAddr,
    sniffer: Sniffer,
    sender: RawSender,
}

impl Racer {
    fn new(world: &World, family: Family) -> Self {
        let client = &world.clients[0];
        let from = SocketAddr::new(client.address(family), PORT);
        let socket = client.namespace.enter(|| UdpSocket::bind((from.ip(), 0)).unwrap());
        socket.connect((RESOLVER.of(family), 53)).unwrap();
        let question = Message::query(7, Question::new("fresh.example", family)).encode();
        Self {
            question,
            socket,
            from,
            sniffer: Sniffer::new(&client.namespace),
            sender: RawSender::new(&client.namespace),
        }
    }

    /// Asks, and answers the answer with a SYN: to which address, and the flags of what came back.
    fn race(&mut self) -> (IpAddr, u8) {
        self.socket.send(&self.question).unwrap();
        let mut target = None;
        loop {
            let packet = self.sniffer.next().expect("no answer, neither of the resolver nor to the SYN");
            match (Heard::read(packet), target) {
                (Some(Heard::Answer { to, message }), None) if to.ip() == self.from.ip() => {
                    let address = message.addresses[0];
                    self.sender.send(&Segment::syn(self.from, SocketAddr::new(address, 22)).packet());
                    target = Some(address);
                }
                (Some(Heard::Segment { from, to, flags }), Some(address))
                    if to == self.from && from.ip() == address =>
                {
                    return (address, flags);
                }
                _ => {}
            }
        }
    }
}
