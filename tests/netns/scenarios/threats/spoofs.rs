//! Answers of others than the resolver, and of the resolver to what was not asked.

use std::net::SocketAddr;
use std::sync::Arc;

use super::{Scene, hears};
use crate::messages::bytes::{ANSWER, CHAOS, INTERNET, Message, address, answer, entry, name, question};
use crate::world::{
    Actor, Carrier, Family, GITHUB, Message as Told, Question, RESOLVER, RawSender, STRANGER, Setup, Talk, World, Zone,
    all_ways, datagram, eventually,
};

/// github.com is at that address.
fn told(family: Family, n: u8) -> Message {
    answer(family, "github.com").answer(address(family, n))
}

#[test]
fn line_01_what_a_client_answers_itself_teaches_nothing() {
    let mut scene = Scene::start(Setup::default());
    all_ways(|family, carrier| {
        scene.lies(vec![]);
        scene.actor.heard();
        let mut talk = scene.talk(family, carrier);
        // The question is open: the answer would fit.
        talk.say(&question(family, "github.com").bytes());
        talk.say(&told(family, 66).bytes());
        if carrier == Carrier::Udp {
            hears(&mut talk, family, &[], "itself");
            scene.counts(&[("questions", 2), ("malformed", 1), ("taught_nothing", 1)], "itself");
        } else {
            assert!(talk.hear().is_err());
            scene.counts(&[("questions", 1), ("malformed", 1)], "itself");
        }
        assert!(!scene.actor.heard().contains(&told(family, 66).bytes()), "it went out over {carrier:?}");
        scene.says_why(family, carrier, "malformed");
        scene.stranger_is_refused(family, "no-observation");
    });
    scene.ends();
}

/// What of an answer is not as it was asked.
type Forgery = (&'static str, fn(Family) -> Message);

const FORGERIES: &[Forgery] = &[
    ("another id", |family| Message { id: 0x1235, ..told(family, 66) }),
    ("another name", |family| answer(family, "gitlab.com").answer(address(family, 66))),
    ("a longer name", |family| answer(family, "www.github.com").answer(address(family, 66))),
    ("a shorter name", |family| answer(family, "com").answer(address(family, 66))),
    ("the name in other letters", |family| answer(family, "GitHub.com").answer(address(family, 66))),
    ("another type", |family| {
        Message::new(ANSWER, entry(&name("github.com"), family.other_kind(), INTERNET)).answer(address(family, 66))
    }),
    ("another class", |family| {
        Message::new(ANSWER, entry(&name("github.com"), family.kind(), CHAOS)).answer(address(family, 66))
    }),
];

#[test]
fn line_02_an_answer_to_something_else_teaches_nothing() {
    let mut scene = Scene::start(Setup::default());
    all_ways(|family, carrier| {
        for (what, forged) in FORGERIES {
            let what = &format!("{what} over {family:?} and {carrier:?}");
            let right = told(family, 10).bytes();
            scene.lies(vec![forged(family).bytes(), right.clone()]);
            let mut talk = scene.talk(family, carrier);
            talk.say(&question(family, "github.com").bytes());
            if carrier == Carrier::Udp {
                // The honest one still counts.
                hears(&mut talk, family, &[right], what);
                scene.counts(&[("questions", 2), ("unasked", 1), ("learned", 1), ("taught_nothing", 1)], what);
            } else {
                assert!(talk.hear().is_err(), "{what}");
                scene.counts(&[("questions", 1), ("unasked", 1)], what);
            }
        }
        scene.says_why(family, carrier, "unasked-answer");
        scene.stranger_is_refused(family, "no-observation");
    });
    scene.ends();
}

#[test]
fn line_02_an_answer_without_a_question_teaches_nothing() {
    let mut scene = Scene::start(Setup::default());
    let forger = RawSender::new(&scene.world.internet.namespace);
    all_ways(|family, carrier| {
        let mut talk = scene.talk(family, carrier);
        match &talk {
            Talk::Udp(socket) => {
                scene.lies(vec![]);
                let (resolver, client) = (SocketAddr::new(RESOLVER.of(family), 53), socket.local_addr().unwrap());
                forger.send(&datagram(resolver, client, &told(family, 66).bytes()));
                hears(&mut talk, family, &[], "no question");
                scene.counts(&[("questions", 1), ("unasked", 1), ("taught_nothing", 1)], "no question");
            }
            // There is no connection before there is a question: it comes as soon as there is one, about another name.
            Talk::Tcp(_) => {
                scene.lies(vec![told(family, 66).bytes()]);
                talk.say(&question(family, "gitlab.com").bytes());
                assert!(talk.hear().is_err());
                scene.counts(&[("questions", 1), ("unasked", 1)], "no question");
            }
        }
        scene.says_why(family, carrier, "unasked-answer");
        scene.stranger_is_refused(family, "no-observation");
    });
    scene.ends();
}

#[test]
fn line_02_an_answer_counts_once() {
    let mut scene = Scene::start(Setup::default());
    all_ways(|family, carrier| {
        let (first, second) = (told(family, 10).bytes(), told(family, 66).bytes());
        scene.lies(vec![first.clone(), second]);
        let mut talk = scene.talk(family, carrier);
        talk.say(&question(family, "github.com").bytes());
        if carrier == Carrier::Udp {
            hears(&mut talk, family, &[first], "twice");
            scene.counts(&[("questions", 2), ("learned", 1), ("unasked", 1), ("taught_nothing", 1)], "twice");
        } else {
            assert_eq!(talk.hear().unwrap(), first);
            assert!(talk.hear().is_err());
            scene.counts(&[("questions", 1), ("learned", 1), ("unasked", 1)], "twice");
        }
        scene.says_why(family, carrier, "unasked-answer");
        assert!(GITHUB.both().contains(&scene.world.clients[0].reach(GITHUB.of(family), 22).unwrap()));
        scene.stranger_is_refused(family, "no-observation");
    });
    scene.ends();
}

/// Somebody on the client itself, who says that github.com is at the stranger's address, whoever is asked.
fn liar(world: &World) -> Actor {
    let place = &world.clients[0].namespace;
    for address in RESOLVER.both() {
        place.sh(&format!("ip addr add {address} dev lo"));
    }
    // One of IPv6 is in use only once the kernel has come to it, also where it looks for no duplicate.
    eventually("the liar's addresses", || {
        let local = place.sh("ip -6 route show table local");
        local.contains(&format!("local {} ", RESOLVER.of(Family::V6))).then_some(())
    });
    let zone = Zone::default();
    zone.set_ttl(60);
    zone.put("github.com", &STRANGER.both());
    let loopback = ["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
    Actor::start(place, &[RESOLVER.both(), loopback].concat(), &Arc::new(zone))
}

#[test]
fn line_03_what_is_said_over_loopback_opens_nothing() {
    let scene = Scene::start(Setup::default());
    let asks = |family, carrier| {
        let mut talk = scene.talk(family, carrier);
        talk.say(&Told::query(5, Question::new("github.com", family)).encode());
        Told::decode(&talk.hear().unwrap()).unwrap().addresses
    };
    let lies = liar(&scene.world);
    all_ways(|family, carrier| {
        assert_eq!(asks(family, carrier), [STRANGER.of(family)]);
        let loopback = if family == Family::V4 { "127.0.0.1" } else { "::1" }.parse().unwrap();
        assert_eq!(
            scene.world.clients[0].ask(loopback, "github.com", family).unwrap().addresses,
            [STRANGER.of(family)]
        );
        scene.stranger_is_refused(family, "no-observation");
    });
    assert!(scene.actor.heard().is_empty());
    assert!(scene.world.gateway.messages().is_empty());
    // And so it remains while the resolver tells the truth.
    drop(lies);
    for address in RESOLVER.both() {
        scene.world.clients[0].namespace.sh(&format!("ip addr del {address} dev lo"));
    }
    all_ways(|family, carrier| {
        assert_eq!(asks(family, carrier), [GITHUB.of(family)]);
        assert!(GITHUB.both().contains(&scene.world.clients[0].reach(GITHUB.of(family), 22).unwrap()));
        scene.stranger_is_refused(family, "no-observation");
    });
    scene.ends();
}
