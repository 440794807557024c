//! `queries: policy`: what no rule allows is answered at once, on the spot, and never reaches a resolver.

use std::net::UdpSocket;
use std::time::Duration;

use crate::world::{Client, Family, GITHUB, Message, Question, RESOLVER, Setup, World, both};

/// The lower four bits of the flags.
const REFUSED: u16 = 5;
const NO_SUCH_NAME: u16 = 3;

fn world() -> World {
    Setup { dns: ", queries: policy", ..Setup::default() }.start()
}

/// Asks with one socket and one question a name; nothing is asked twice.
fn codes(client: &Client, family: Family, names: &[&str]) -> Vec<u16> {
    client.namespace.enter(|| {
        let socket = UdpSocket::bind((client.address(family), 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(4))).unwrap();
        let code = |(id, name): (u16, &&str)| {
            let question = Question::new(name, family);
            socket.send_to(&Message::query(id, question.clone()).encode(), (RESOLVER.of(family), 53)).unwrap();
            let mut buffer = [0; 4096];
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            assert_eq!((from.ip(), from.port()), (RESOLVER.of(family), 53));
            let answer = Message::decode(&buffer[..length]).unwrap();
            assert_eq!((answer.id, &answer.question), (id, &question));
            answer.flags & 0xf
        };
        (1..).zip(names).map(code).collect()
    })
}

/// Questions of the first client that arrived at the resolver.
fn asked(world: &World, family: Family) -> u64 {
    let (from, to) = (world.clients[0].address(family), RESOLVER.of(family));
    world.internet.wire.seen().iter().filter(|flow| flow.from == from && flow.to == to).map(|flow| flow.packets).sum()
}

#[test]
fn a_name_in_no_rule_is_refused_at_once_and_the_question_never_leaves() {
    let world = world();
    both(|family| {
        let client = &world.clients[0];
        let before = asked(&world, family);
        // From one port: an answer of decider's own must not make the next question look like a reply.
        let names = ["evil.example", "data.to.carry.out.evil.example", "eViL.eXaMpLe", "evil.example"];
        assert_eq!(codes(client, family, &names), [REFUSED; 4]);
        assert_eq!(asked(&world, family), before);
        let event = world.gateway.event(RESOLVER.of(family), 53, "query-not-allowed");
        assert_eq!((&event["domain"], &event["proto"]), (&"evil.example".into(), &"udp".into()), "{event}");
        assert_eq!(codes(client, family, &["use-application-dns.net"]), [NO_SUCH_NAME]);

        assert_eq!(codes(client, family, &["evil.example", "github.com", "evil.example"]), [REFUSED, 0, REFUSED]);
        assert_eq!(asked(&world, family), before + 1);
        assert!(GITHUB.both().contains(&client.reach_name("github.com", family, 22).unwrap()));
    });
    let counted = &world.gateway.status()["dns"]["messages"];
    assert_eq!((&counted["refused"], &counted["unasked"]), (&14.into(), &0.into()), "{counted}");
    assert_eq!(world.internet.wire.leaked(), []);
}
