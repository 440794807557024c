//! Answers of the trusted resolver that say more than they may, or nothing that can be read.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Scene, hears, room};
use crate::messages::answers::{self, Case, Teaches, question_of};
use crate::messages::bytes::{
    ANSWER, FIRST_NAME, INTERNET, Message, address, alias, answer, entry, name, pointer, question, record,
};
use crate::messages::{chains, hints};
use crate::world::{Carrier, Family, GITHUB, STRANGER, Setup, all_ways};

/// Each answer comes to the client, and teaches what it must: what it leads to is reached, and nothing else is.
fn each_teaches_what_it_must(tables: &[&[Case]]) {
    let mut scene = Scene::start(Setup::default());
    all_ways(|family, carrier| {
        let mut taught = BTreeSet::new();
        for case in tables.iter().copied().flatten() {
            taught.extend(tell(&mut scene, family, carrier, case));
        }
        for address in taught {
            assert!(GITHUB.both().contains(&scene.world.clients[0].reach(address, 22).unwrap()), "{address}");
        }
        scene.stranger_is_refused(family, "no-observation");
    });
    scene.ends();
}

/// Lets the resolver say it: which addresses of github.com it must have taught.
fn tell(scene: &mut Scene, family: Family, carrier: Carrier, case: &Case) -> Vec<IpAddr> {
    let bytes = (case.bytes)(family);
    let what = format!("{} over {family:?} and {carrier:?}", case.name);
    let (asked, outcome) = match case.teaches {
        Teaches::These(_) | Teaches::Many(_) => (question_of(&bytes), "learned"),
        Teaches::Nothing(_) => (question_of(&bytes), "taught_nothing"),
        Teaches::Error(_) => (question(family, "github.com").bytes(), "malformed"),
    };
    scene.lies(vec![bytes.clone()]);
    let mut talk = scene.talk(family, carrier);
    talk.say(&asked);
    if outcome == "malformed" && carrier == Carrier::Tcp {
        assert!(talk.hear().is_err(), "{what}: heard");
        scene.counts(&[("questions", 1), ("malformed", 1)], &what);
    } else {
        let heard: &[Vec<u8>] = if outcome == "malformed" { &[] } else { &[bytes] };
        hears(&mut talk, family, heard, &what);
        scene.counts(&[("questions", 2), (outcome, 1), ("taught_nothing", 1)], &what);
    }
    let about_github = asked.windows(11).any(|part| part.eq_ignore_ascii_case(b"\x06github\x03com"));
    match case.teaches {
        Teaches::These(found) if about_github => found.iter().map(|&(n, _)| family.address(n)).collect(),
        _ => vec![],
    }
}

#[test]
fn line_04_what_is_outside_the_questions_chain_opens_nothing() {
    each_teaches_what_it_must(&[answers::OUTSIDE, chains::CASES, hints::CASES]);
}

#[test]
fn line_04_a_chain_over_two_answers_is_none() {
    let mut scene = Scene::start(Setup::default());
    all_ways(|family, carrier| {
        let mut talk = scene.talk(family, carrier);
        let first = answer(family, "github.com").answer(alias("github.com", "a.example", 300)).bytes();
        let end = record(&name("a.example"), family.kind(), 300, &family.data(66));
        let second = answer(family, "a.example").answer(end).bytes();
        for (asked, told) in [("github.com", first), ("a.example", second)] {
            scene.lies(vec![told.clone()]);
            talk.say(&question(family, asked).bytes());
            hears(&mut talk, family, &[told], asked);
        }
        scene.counts(&[("questions", 4), ("taught_nothing", 3), ("learned", 1)], "two answers");
        scene.stranger_is_refused(family, "name-not-allowed");
        let event = scene.world.gateway.event(STRANGER.of(family), 22, "name-not-allowed");
        assert_eq!(event["domain"], "a.example", "{event}");
    });
    scene.ends();
}

#[test]
fn line_05_records_that_are_no_addresses_open_nothing() {
    each_teaches_what_it_must(&[answers::TYPES]);
}

#[test]
fn line_07_answers_that_cannot_be_read_open_nothing() {
    each_teaches_what_it_must(&[answers::BROKEN, answers::CODES]);
}

#[test]
fn line_07_names_at_their_limits_and_in_any_letters_are_what_they_are() {
    each_teaches_what_it_must(&[answers::PLAIN, answers::NAMES]);
}

/// As much as a message can hold, over UDP in some forty fragments: the stranger's address is everywhere but in the last.
#[test]
fn line_07_as_many_records_as_a_message_can_hold() {
    let mut scene = Scene::start(Setup::default());
    all_ways(|family, carrier| {
        let room = usize::try_from(room(carrier)).unwrap();
        let strange = record(&name("x"), family.kind(), 300, &family.data(66));
        let honest = record(&name("github.com"), family.kind(), 300, &family.data(10));
        let asked = Message::new(ANSWER, entry(&name("github.com"), family.kind(), INTERNET));
        let count = (room - asked.bytes().len() - honest.len()) / strange.len();
        let mut message = (0..count).fold(asked, |message, _| message.answer(strange.clone()));
        message = message.answer(honest);
        let bytes = message.bytes();
        assert!(bytes.len() > room - 40 && bytes.len() <= room, "{}", bytes.len());
        scene.lies(vec![bytes.clone()]);
        let mut talk = scene.talk(family, carrier);
        talk.say(&question(family, "github.com").bytes());
        hears(&mut talk, family, &[bytes], "64 KiB");
        scene.counts(&[("questions", 2), ("learned", 1), ("taught_nothing", 1)], "64 KiB");
        assert!(GITHUB.both().contains(&scene.world.clients[0].reach(GITHUB.of(family), 22).unwrap()));
        scene.stranger_is_refused(family, "no-observation");
    });
    scene.ends();
}

#[test]
fn line_07_a_datagram_that_the_kernel_cuts_is_refused() {
    let mut scene = Scene::start(Setup::default());
    all_ways(|family, carrier| {
        let whole = answer(family, "github.com").answer(address(family, 66));
        // One octet more than the kernel hands over; over TCP there is no such limit.
        let header = if family == Family::V4 { 20 } else { 40 };
        let rest = 65_532 - header - 8 - whole.bytes().len() - 12;
        let bytes = whole.answer(record(&pointer(FIRST_NAME), 16, 300, &vec![0; rest])).bytes();
        scene.lies(vec![bytes.clone()]);
        let mut talk = scene.talk(family, carrier);
        talk.say(&question(family, "github.com").bytes());
        if carrier == Carrier::Udp {
            hears(&mut talk, family, &[], "cut");
            scene.counts(&[("questions", 2), ("malformed", 1), ("taught_nothing", 1)], "cut");
            scene.says_why(family, carrier, "malformed");
            scene.stranger_is_refused(family, "no-observation");
        } else {
            hears(&mut talk, family, &[bytes], "whole");
            scene.counts(&[("questions", 2), ("learned", 1), ("taught_nothing", 1)], "whole");
        }
    });
    scene.ends();
}
