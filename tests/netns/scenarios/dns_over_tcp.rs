//! Questions over TCP reach a trusted resolver by way of decider's relay, and what is answered counts.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::over_tcp::{acted, github, honest, open};
use crate::world::{Answers, Family, GATEWAY, GITHUB, Message, Question, RESOLVER, STRANGER, Setup, both, framed};

#[test]
fn what_is_learned_over_tcp_opens_the_way() {
    let world = Setup::default().start();
    let resolver = honest(&world);
    both(|family| {
        let mut stream = open(&world, family);
        let address = stream.look_up(7, github(family)).addresses[0];
        assert_eq!(address, GITHUB.of(family));
        assert!(GITHUB.both().contains(&world.clients[0].reach(address, 22).unwrap()));
        world.clients[0].is_refused(STRANGER.of(family), 22);
    });
    // The resolver is asked by the gateway, and by nobody else.
    assert!(resolver.connections().iter().all(|from| GATEWAY.both().contains(&from.ip())));
    assert_eq!(world.internet.wire.leaked(), []);
}

#[test]
fn a_connection_in_the_instant_of_the_answer_is_never_refused() {
    let world = Setup::default().start();
    let _resolver = honest(&world);
    both(|family| {
        let mut stream = open(&world, family);
        for id in 0..500 {
            let address = stream.look_up(id, Question::new("fresh.example", family)).addresses[0];
            drop(world.clients[0].connect(address, 22).unwrap_or_else(|error| panic!("{id}: {address}: {error}")));
        }
    });
    let counters = world.gateway.adds_up();
    assert_eq!((&counters["allowed"], &counters["denied"]), (&1000.into(), &0.into()), "{counters}");
}

#[test]
fn questions_arrive_whole_however_their_bytes_come() {
    let world = Setup::default().start();
    let resolver = honest(&world);
    both(|family| {
        let question = Message::query(9, github(family)).encode();
        let bytes = framed(&question);
        for cuts in [bytes.len(), 2, 1] {
            let mut stream = open(&world, family);
            let parts: Vec<&[u8]> =
                if cuts == 2 { vec![&bytes[..2], &bytes[2..]] } else { bytes.chunks(cuts).collect() };
            for part in parts {
                stream.say_bytes(part).unwrap();
                std::thread::sleep(Duration::from_millis(5));
            }
            assert_eq!(stream.hear_message().addresses, [GITHUB.of(family)]);
            assert_eq!(resolver.heard().last(), Some(&question), "it is passed on as it was");
        }
    });
}

#[test]
fn many_questions_in_one_go_each_have_their_answer() {
    let world = Setup::default().start();
    let _resolver = honest(&world);
    both(|family| {
        let mut stream = open(&world, family);
        // More than may wait at a time.
        let questions: Vec<u8> = (0..500)
            .flat_map(|id| framed(&Message::query(id, Question::new("fresh.example", family)).encode()))
            .collect();
        stream.say_bytes(&questions).unwrap();
        let mut addresses: Vec<IpAddr> = (0..500)
            .map(|id| {
                let answer = stream.hear_message();
                assert_eq!(answer.id, id);
                answer.addresses[0]
            })
            .collect();
        let last = *addresses.last().unwrap();
        addresses.sort_unstable();
        addresses.dedup();
        assert_eq!(addresses.len(), 500);
        world.clients[0].reach(last, 22).unwrap();
    });
}

#[test]
fn answers_may_come_in_another_order_and_after_the_last_question() {
    let world = Setup::default().start();
    let zone = Arc::clone(&world.internet.zone);
    let _resolver = acted(&world, move |mut asker| {
        let from = asker.stream.tcp().peer_addr().unwrap().ip();
        let questions: Vec<Message> = (0..3).filter_map(|_| asker.hears()).collect();
        for question in questions.into_iter().rev() {
            std::thread::sleep(Duration::from_millis(100));
            asker.answers(&zone.answer(question, from).unwrap());
        }
    });
    both(|family| {
        let mut stream = open(&world, family);
        for (id, name) in [(1, "github.com"), (2, "gitlab.com"), (3, "db.example.com")] {
            stream.ask(id, Question::new(name, family));
        }
        stream.has_said_all();
        for (id, name) in [(3, "db.example.com"), (2, "gitlab.com"), (1, "github.com")] {
            let answer = stream.hear_message();
            assert_eq!((answer.id, answer.question.name.as_str()), (id, name));
        }
        stream.ends();
        assert!(world.clients[0].reach(GITHUB.of(family), 22).is_ok());
    });
}

#[test]
fn an_answer_of_64_kib_is_read_to_its_end() {
    let world = Setup::default().start();
    let _resolver = acted(&world, |mut asker| {
        while let Some(query) = asker.hears() {
            let family = if query.question.record_type == 1 { Family::V4 } else { Family::V6 };
            let record = query.question.name.len() + 2 + if family == Family::V4 { 14 } else { 26 };
            // Nobody else's but the last.
            let mut addresses = vec![STRANGER.of(family); (65_535 - 40) / record - 1];
            addresses.push(GITHUB.of(family));
            asker.answers(&Message::answer(query.id, query.question, &addresses, 60));
        }
    });
    both(|family| {
        let mut stream = open(&world, family);
        let answer = stream.look_up(1, github(family));
        assert!(answer.encode().len() > 65_000, "{}", answer.encode().len());
        assert!(world.clients[0].reach(GITHUB.of(family), 22).is_ok());
    });
}

#[test]
fn explain_says_where_questions_over_tcp_go() {
    let world = Setup::default().start();
    both(|family| {
        let (client, dst) = (world.clients[0].address(family).to_string(), RESOLVER.of(family).to_string());
        let told = world.gateway.json(&["explain", "--client", &client, "--dst", &dst, "--port", "53"]);
        assert_eq!((&told["verdict"], &told["reason"]), (&"allow".into(), &"allowed-resolver".into()), "{told}");
        assert_eq!((&told["listener_port"], &told["mark"]), (&15099.into(), &"0xff003f00".into()), "{told}");
    });
}
