//! Resolvers and clients that break off, lie or keep silent over TCP: nothing is learned, and nobody waits for long.

use std::net::SocketAddr;

use super::over_tcp::{acted, github, open, tcp};
use crate::world::{Family, GITHUB, Message, Question, RESOLVER, STRANGER, Setup, both, framed};

/// What a resolver, or somebody in its stead, may get wrong. The right answer would be the stranger's address.
fn forgeries(right: &Message) -> Vec<(&'static str, Message)> {
    let other = |name: &str| Question { name: name.to_owned(), ..right.question.clone() };
    let other_type = Question { record_type: 15, ..right.question.clone() };
    vec![
        ("another id", Message { id: right.id ^ 1, ..right.clone() }),
        ("another name", Message { question: other("gitlab.com"), ..right.clone() }),
        ("a name in other letters", Message { question: other("GitHub.com"), ..right.clone() }),
        ("another type", Message { question: other_type, ..right.clone() }),
        ("a question", Message { flags: 0x0100, ..right.clone() }),
    ]
}

#[test]
fn an_answer_that_fits_no_question_ends_the_connection_and_teaches_nothing() {
    let world = Setup::default().start();
    let kinds = forgeries(&Message::query(0, github(Family::V4))).len();
    // The id says which forgery is wanted. Right answers stand around it.
    let _resolver = acted(&world, move |mut asker| {
        let Some(query) = asker.hears() else { return };
        let family = if query.question.record_type == 1 { Family::V4 } else { Family::V6 };
        let right = Message::answer(query.id, query.question, &[STRANGER.of(family)], 60);
        let (_, forged) = forgeries(&right).swap_remove(usize::from(right.id / 2));
        asker.answers(&forged);
        asker.answers(&right);
        asker.stream.is_reset_or_ends();
    });
    both(|family| {
        for kind in 0..kinds {
            let mut stream = open(&world, family);
            stream.ask(u16::try_from(kind * 2).unwrap(), github(family));
            stream.is_reset();
        }
        world.clients[0].is_refused(STRANGER.of(family), 22);
        world.gateway.event(STRANGER.of(family), 22, "no-observation");
        let event = world.gateway.event(RESOLVER.of(family), 53, "unasked-answer");
        assert_eq!(event["proto"], "tcp", "{event}");
    });
    assert_eq!(world.gateway.json(&["cache"]).as_array().unwrap().len(), 0);
    assert_eq!(tcp(&world, "refused"), 2 * u64::try_from(kinds).unwrap());
    let messages = &world.gateway.status()["dns"]["messages"];
    assert_eq!((&messages["unasked"], &messages["malformed"]), (&8.into(), &2.into()), "{messages}");
}

#[test]
fn an_answer_counts_once() {
    let world = Setup::default().start();
    let _resolver = acted(&world, |mut asker| {
        let Some(query) = asker.hears() else { return };
        let family = if query.question.record_type == 1 { Family::V4 } else { Family::V6 };
        for address in [GITHUB, STRANGER] {
            asker.answers(&Message::answer(query.id, query.question.clone(), &[address.of(family)], 60));
        }
        asker.stream.is_reset_or_ends();
    });
    both(|family| {
        let mut stream = open(&world, family);
        assert_eq!(stream.look_up(3, github(family)).addresses, [GITHUB.of(family)]);
        stream.is_reset();
        assert!(world.clients[0].reach(GITHUB.of(family), 22).is_ok());
        world.clients[0].is_refused(STRANGER.of(family), 22);
    });
}

#[test]
fn what_is_no_question_ends_the_connection_and_does_not_leave() {
    let world = Setup::default().start();
    let resolver = acted(&world, |mut asker| while asker.hears().is_some() {});
    let question = |family| Message::query(1, github(family)).encode();
    both(|family| {
        let answer = Message::answer(1, github(family), &[STRANGER.of(family)], 60).encode();
        let cut = question(family)[..15].to_vec();
        let trailing = [question(family), vec![0]].concat();
        for broken in [vec![], vec![0], answer, cut, trailing, vec![0xff; 65_535]] {
            let mut stream = open(&world, family);
            stream.say(&broken).unwrap();
            stream.is_reset();
        }
        // Its length promises more than there is.
        let mut stream = open(&world, family);
        stream.say_bytes(&framed(&question(family))[..20]).unwrap();
        stream.has_said_all();
        stream.is_reset();
        let event = world.gateway.event(RESOLVER.of(family), 53, "malformed");
        assert_eq!((&event["proto"], &event["verdict"]), (&"tcp".into(), &"deny".into()), "{event}");
    });
    assert_eq!(resolver.heard(), Vec::<Vec<u8>>::new());
    assert_eq!(resolver.connections(), Vec::<SocketAddr>::new());
    assert_eq!((tcp(&world, "refused"), tcp(&world, "client_failed")), (12, 2));
    assert_eq!(world.internet.wire.leaked(), []);
}

#[test]
fn what_no_rule_allows_is_answered_by_decider_and_does_not_leave() {
    let world = Setup { dns: ", queries: policy", ..Setup::default() }.start();
    let resolver = acted(&world, |mut asker| {
        while let Some(query) = asker.hears() {
            let family = if query.question.record_type == 1 { Family::V4 } else { Family::V6 };
            asker.answers(&Message::answer(query.id, query.question, &[GITHUB.of(family)], 60));
        }
    });
    both(|family| {
        let mut stream = open(&world, family);
        let refused = stream.look_up(5, Question::new("secret.tunnel.example", family));
        assert_eq!((refused.id, refused.flags & 0x800f), (5, 0x8005), "{refused:?}");
        assert_eq!(stream.look_up(6, github(family)).addresses, [GITHUB.of(family)]);
        world.gateway.event(RESOLVER.of(family), 53, "query-not-allowed");
    });
    let names: Vec<String> =
        resolver.heard().iter().map(|bytes| Message::decode(bytes).unwrap().question.name).collect();
    assert_eq!(names, ["github.com", "github.com"]);
}

#[test]
fn an_address_that_is_not_believed_does_not_reach_the_client() {
    let world = Setup::default().start();
    let _resolver = acted(&world, |mut asker| {
        while let Some(query) = asker.hears() {
            let address = if query.question.record_type == 1 { "10.0.0.5" } else { "fd12::5" };
            asker.answers(&Message::answer(query.id, query.question, &[address.parse().unwrap()], 60));
        }
    });
    both(|family| {
        let mut stream = open(&world, family);
        let refused = stream.look_up(5, github(family));
        assert_eq!((refused.flags & 0x800f, refused.addresses), (0x8005, vec![]));
        let address = if family == Family::V4 { "10.0.0.5" } else { "fd12::5" };
        let event = world.gateway.event(address.parse().unwrap(), 0, "private-address");
        assert_eq!((&event["domain"], &event["proto"]), (&"github.com".into(), &"tcp".into()), "{event}");
        // The connection is none the worse for it.
        assert_eq!(stream.look_up(6, Question::new("other.example", family)).addresses.len(), 1);
    });
}

#[test]
fn a_resolver_that_breaks_off_takes_its_client_with_it() {
    let world = Setup::default().start();
    both(|family| {
        // Nobody listens.
        let mut stream = open(&world, family);
        stream.ask(1, github(family));
        stream.is_reset();
    });
    assert_eq!(tcp(&world, "resolver_failed"), 2);
    let _resolver = acted(&world, |mut asker| {
        let Some(query) = asker.hears() else { return };
        let answer = framed(&Message::answer(query.id, query.question, &[STRANGER.both()[0]], 60).encode());
        match query.id {
            1 => asker.stream.reset(),
            2 => drop(asker.stream.say_bytes(&answer[..30])),
            _ => {}
        }
    });
    both(|family| {
        for id in [1, 2] {
            let mut stream = open(&world, family);
            stream.ask(id, github(family));
            stream.is_reset();
        }
        // It may go when it has said all.
        let mut stream = open(&world, family);
        stream.ask(3, github(family));
        stream.ends();
    });
    assert_eq!(tcp(&world, "resolver_failed"), 6);
    assert_eq!(world.gateway.json(&["cache"]).as_array().unwrap().len(), 0);
}
