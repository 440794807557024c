//! The two backends of the queue beside each other: two worlds that are alike, the same packets in both, and whatever can be
//! told of them is the same. decider stands still while packets are sent, so that the batched one gets them together.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use serde_json::Value;

use crate::world::{
    Family, GITHUB, Message, OTHER_RESOLVER, Question, RESOLVER, RawSender, STRANGER, Segment, Setup, Sniffer, World,
    both, datagram, within,
};

use super::malformed::{broken_messages, broken_segments, unusual};

/// Port of what is sent by hand.
const PORT: u16 = 41_000;
/// Port of a socket that hears its answers.
const STUB: u16 = 42_000;

/// All that is to be the same.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// How many decisions each kind of event stands for.
    events: BTreeMap<String, u64>,
    counters: Value,
    messages: BTreeMap<String, u64>,
    /// Questions of the client that reached a resolver, by resolver.
    asked: BTreeMap<IpAddr, u64>,
    /// What clients sent themselves beside.
    leaked: usize,
}

fn outcome(world: &World) -> Outcome {
    let mut events = BTreeMap::new();
    for mut event in world.gateway.events() {
        let stands_for = event["repeated"].as_u64().unwrap_or(1);
        for changing in ["ts", "waited_us", "client_port", "repeated"] {
            event.as_object_mut().unwrap().remove(changing);
        }
        if event["path"] == "queue" {
            *events.entry(event.to_string()).or_default() += stands_for;
        }
    }
    let is_own = |address: IpAddr| world.clients[0].addresses.both().contains(&address);
    let asked = world.internet.wire.seen().into_iter().filter(|flow| flow.port == 53 && is_own(flow.from));
    Outcome {
        events,
        counters: world.gateway.adds_up(),
        messages: world.gateway.messages(),
        asked: asked.map(|flow| (flow.to, flow.packets)).collect(),
        leaked: world.internet.wire.leaked().len(),
    }
}

fn segments(world: &World, family: Family) -> Vec<Vec<u8>> {
    let from = SocketAddr::new(world.clients[0].address(family), PORT);
    let to = [GITHUB, STRANGER].map(|host| Segment::syn(from, SocketAddr::new(host.of(family), 22)));
    to.iter().flat_map(|syn| [unusual(syn), broken_segments(syn)].concat()).collect()
}

fn messages(world: &World, family: Family) -> Vec<Vec<u8>> {
    let ask = |port: u16, resolver: IpAddr, message: &[u8]| {
        let from = SocketAddr::new(world.clients[0].address(family), port);
        datagram(from, SocketAddr::new(resolver, 53), message)
    };
    let question = Question::new("gitlab.com", family);
    let broken = broken_messages(&question).into_iter().map(|message| ask(PORT, RESOLVER.of(family), &message));
    let good = Message::query(9, question).encode();
    broken.chain([RESOLVER, OTHER_RESOLVER].map(|resolver| ask(STUB, resolver.of(family), &good))).collect()
}

fn answers(world: &World, family: Family) -> Vec<Vec<u8>> {
    let (from, to) = (RESOLVER.of(family), world.clients[0].address(family));
    let forged = Message::answer(9, Question::new("github.com", family), &[STRANGER.of(family)], 60).encode();
    let broken = broken_messages(&Question::new("github.com", family)).into_iter().map(|mut message| {
        if let Some(flags) = message.get_mut(2) {
            *flags |= 0x80;
        }
        message
    });
    let packet = |message: Vec<u8>| datagram(SocketAddr::new(from, 53), SocketAddr::new(to, PORT), &message);
    broken.chain([forged]).map(packet).collect()
}

/// The flags of what comes back to the client, by where it comes from and which port it is for.
fn replies(sniffer: &mut Sniffer, from: &[IpAddr]) -> BTreeSet<(IpAddr, u16, u8)> {
    let mut replies = BTreeSet::new();
    while let Some(packet) = sniffer.next() {
        let (source, protocol, segment): (IpAddr, u8, &[u8]) = match packet[0] >> 4 {
            4 => (<[u8; 4]>::try_from(&packet[12..16]).unwrap().into(), packet[9], &packet[20..]),
            _ => (<[u8; 16]>::try_from(&packet[8..24]).unwrap().into(), packet[6], &packet[40..]),
        };
        if from.contains(&source) && protocol == 6 {
            replies.insert((source, u16::from_be_bytes([segment[2], segment[3]]), segment[13]));
        }
    }
    replies
}

/// A world with that backend after all that was sent, and what came back.
fn played(backend: &str) -> (World, BTreeSet<(IpAddr, u16, u8)>) {
    let mut world = Setup::default().build();
    world.gateway.arguments.extend(["--queue-backend".to_owned(), backend.to_owned()]);
    world.gateway.start();
    let client = &world.clients[0];
    let mut came_back = BTreeSet::new();
    both(|family| {
        client.look_up("github.com", family);
        let stub = client.namespace.enter(|| UdpSocket::bind((client.address(family), STUB)).unwrap());
        stub.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut sniffer = Sniffer::new(&client.namespace);
        let inside = RawSender::new(&client.namespace);
        let outside = RawSender::new(&world.internet.namespace);
        world.gateway.freeze();
        for packet in [segments(&world, family), messages(&world, family)].concat() {
            // What the client's own kernel does not send does not arrive either.
            let _ = inside.try_send(&packet);
        }
        for packet in answers(&world, family) {
            outside.send(&packet);
        }
        world.gateway.thaw();
        let mut answer = [0; 512];
        stub.recv(&mut answer).expect("the answer to the good question");
        world.gateway.wait_until_ready();
        came_back.extend(replies(&mut sniffer, &[GITHUB.of(family), STRANGER.of(family)]));
        client.reach(Message::decode(&answer).unwrap().addresses[0], 22).unwrap();
        client.is_refused(STRANGER.of(family), 22);
    });
    (world, came_back)
}

#[test]
fn both_backends_make_the_same_of_the_same_packets() {
    let [(batched, batched_replies), (single, single_replies)] = ["netlink", "nfq"].map(played);
    assert_eq!(batched_replies, single_replies);
    // The last events and messages may still be under way.
    let mut last = None;
    let same = within(Duration::from_secs(20), || {
        let both = (outcome(&batched), outcome(&single));
        let equal = both.0 == both.1;
        last = Some(both);
        equal.then_some(())
    });
    let (batched, single) = last.unwrap();
    assert!(same.is_some(), "by netlink {batched:#?}\nby nfq {single:#?}");
    // And there was something to compare.
    assert!(batched_replies.len() >= 20, "{batched_replies:?}");
    assert!(batched.counters["allowed"].as_u64() >= Some(10), "{batched:?}");
    assert!(batched.counters["denied"].as_u64() >= Some(10), "{batched:?}");
    assert!(batched.messages["malformed"] >= 60 && batched.messages["learned"] >= 4, "{batched:?}");
    assert_eq!((batched.asked.len(), batched.leaked), (2, 0), "{batched:?}");
}
