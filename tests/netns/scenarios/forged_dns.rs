//! Only an answer of a trusted resolver to a question that this client asked teaches anything, and only once.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::world::{
    Client, Family, GITHUB, Message, OTHER_RESOLVER, Question, RESOLVER, RawSender, STRANGER, Setup, World, both,
    datagram,
};

/// A question that the resolver does not answer, so that the forger has all the time there is.
struct Open {
    socket: UdpSocket,
    from: SocketAddr,
    question: Question,
}

const ID: u16 = 0x1234;

impl Open {
    fn ask(client: &Client, family: Family) -> Self {
        let socket = client.namespace.enter(|| UdpSocket::bind((client.address(family), 0)).unwrap());
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let question = Question::new("silent.example", family);
        socket.send_to(&Message::query(ID, question.clone()).encode(), (RESOLVER.of(family), 53)).unwrap();
        let from = socket.local_addr().unwrap();
        Self { socket, from, question }
    }

    fn answer(&self, family: Family) -> Message {
        Message::answer(ID, self.question.clone(), &[STRANGER.of(family)], 60)
    }

    fn got_an_answer(&self) -> bool {
        self.socket.recv(&mut [0; 512]).is_ok()
    }
}

/// What a forger gets wrong: from where it sends, to which port, what.
fn forgeries(open: &Open, family: Family) -> Vec<(&'static str, SocketAddr, SocketAddr, Message)> {
    let resolver = SocketAddr::new(RESOLVER.of(family), 53);
    let right = open.answer(family);
    let other = |name: &str| Question { name: name.to_owned(), ..open.question.clone() };
    let other_type = Question { record_type: 15, ..open.question.clone() };
    let (to, mut other_port) = (open.from, open.from);
    other_port.set_port(to.port() ^ 1);
    vec![
        ("another server", SocketAddr::new(OTHER_RESOLVER.of(family), 53), to, right.clone()),
        ("another port of the server", SocketAddr::new(resolver.ip(), 5353), to, right.clone()),
        ("another port of the client", resolver, other_port, right.clone()),
        ("another id", resolver, to, Message { id: ID + 1, ..right.clone() }),
        ("another name", resolver, to, Message { question: other("github.com"), ..right.clone() }),
        ("a longer name", resolver, to, Message { question: other("silent.example.com"), ..right.clone() }),
        ("another type", resolver, to, Message { question: other_type, ..right.clone() }),
        ("a question", resolver, to, Message { flags: 0x0100, ..right.clone() }),
    ]
}

fn knows_nothing(world: &World, what: &str) {
    let cache = world.gateway.json(&["cache"]);
    let about = cache
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| STRANGER.both().iter().any(|stranger| entry["address"] == stranger.to_string()));
    assert_eq!(about, None, "learned from {what}");
}

#[test]
fn an_answer_that_fits_no_question_teaches_nothing() {
    let world = Setup::default().start();
    let forger = RawSender::new(&world.internet.namespace);
    both(|family| {
        let open = Open::ask(&world.clients[0], family);
        for (what, from, to, message) in forgeries(&open, family) {
            forger.send(&datagram(from, to, &message.encode()));
            std::thread::sleep(Duration::from_millis(20));
            knows_nothing(&world, what);
        }
        world.clients[0].is_refused(STRANGER.of(family), 22);
        world.gateway.event(STRANGER.of(family), 22, "no-observation");
        assert_eq!(world.internet.wire.to(STRANGER.of(family)), []);
        teaches_once(&world, &forger, &open, family);
    });
    let messages = &world.gateway.status()["dns"]["messages"];
    assert!(messages["unasked"].as_u64().unwrap() >= 10, "{messages}");
    assert!(messages["malformed"].as_u64().unwrap() >= 2, "{messages}");
}

/// The right answer is believed; the same again, with another address, is not and does not reach the client.
fn teaches_once(world: &World, forger: &RawSender, open: &Open, family: Family) {
    let resolver = SocketAddr::new(RESOLVER.of(family), 53);
    let send = |message: Message| forger.send(&datagram(resolver, open.from, &message.encode()));
    // What came from elsewhere than the resolver was delivered; nobody but the client can tell.
    while open.got_an_answer() {}
    send(Message { addresses: vec![GITHUB.of(family)], ..open.answer(family) });
    assert!(open.got_an_answer());
    send(open.answer(family));
    assert!(!open.got_an_answer());
    knows_nothing(world, "a second answer");
    let cache = world.gateway.json(&["cache", "--name", "silent.example"]);
    assert!(cache.as_array().unwrap().iter().any(|entry| entry["address"] == GITHUB.of(family).to_string()), "{cache}");
}

#[test]
fn a_client_cannot_answer_itself() {
    let world = Setup::default().start();
    let client = RawSender::new(&world.clients[0].namespace);
    both(|family| {
        let open = Open::ask(&world.clients[0], family);
        let other = Open::ask(&world.clients[1], family);
        let answer = open.answer(family).encode();
        let resolver = SocketAddr::new(RESOLVER.of(family), 53);
        let own = SocketAddr::new(open.from.ip(), 53);
        // To its own address by way of the resolver, as the resolver, from its own port 53, to the other client.
        for (from, to) in [
            (open.from, resolver),
            (resolver, open.from),
            (own, resolver),
            (own, SocketAddr::new(OTHER_RESOLVER.of(family), 53)),
            (resolver, other.from),
            (own, other.from),
        ] {
            client.send(&datagram(from, to, &answer));
        }
        std::thread::sleep(Duration::from_millis(100));
        knows_nothing(&world, "a client");
        assert!(!other.got_an_answer());
        for client in &world.clients {
            client.is_refused(STRANGER.of(family), 22);
        }
    });
    assert_eq!(world.internet.wire.leaked(), []);
}
