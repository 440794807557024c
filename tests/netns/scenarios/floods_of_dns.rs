//! One client floods by way of DNS, its resolver helps, and another client works: each of its look-ups and connections
//! succeeds meanwhile, and memory stays below what docs/security.md says, with the default capacity.

use std::sync::Arc;

use super::floods::while_another_works;
use super::threats::many::many_addresses;
use crate::messages::bytes::question;
use crate::world::{
    Actor, Answers, Carrier, DnsStream, Family, Message, RESOLVER, Setup, Talk, World, both, eventually,
};

/// What a client may cost decider in memory, over both families together.
const MEMORY: u64 = 176 << 20;
/// Observations that are remembered of its two addresses: for each no more than 2.5 times the sixteenth of the default
/// capacity that is its share (docs/policy.md).
const OBSERVATIONS: u64 = 2 * 1_000_000 / 16 * 5 / 2;

const RULES: &str = "
  - { domain: github.com, proto: ssh }
  - { domain: \"*.flood.example\", proto: ssh }
";

/// The resolver tells the truth about every name but those below flood.example: about them it says what `part` does.
fn start(dns: &'static str, part: impl Fn(Family, &Message) -> Option<Vec<u8>> + Send + Sync + 'static) -> Flood {
    let (world, actor) = Setup { dns, rules: RULES, ..Setup::default() }.start_with_actor();
    let zone = Arc::clone(&world.internet.zone);
    actor.says(move |asked| {
        let Some(asked) = Message::decode(asked) else { return vec![] };
        let family = if asked.question.record_type == 1 { Family::V4 } else { Family::V6 };
        let answer = if asked.question.name.ends_with(".flood.example") {
            part(family, &asked)
        } else {
            zone.answer(asked, RESOLVER.of(family)).map(|answer| answer.encode())
        };
        answer.into_iter().collect()
    });
    let before = world.gateway.process.as_ref().unwrap().resident();
    Flood { world, _actor: actor, before }
}

struct Flood {
    world: World,
    _actor: Actor,
    before: u64,
}

impl Flood {
    fn talk(&self, family: Family, carrier: Carrier) -> Talk {
        Talk::open(&self.world.clients[0], family, carrier)
    }

    fn count(&self, what: &str) -> u64 {
        self.world.gateway.messages().get(what).copied().unwrap_or(0)
    }

    /// At the end.
    fn ends(self, what: &str) {
        let grown = self.world.gateway.process.as_ref().unwrap().peak().saturating_sub(self.before);
        println!("{what}: {} KiB more at the most", grown >> 10);
        assert!(grown < MEMORY, "{what}: {grown} bytes");
        let status = self.world.gateway.status();
        assert_eq!(status["state"], "ok", "{status}");
        assert!(status["dns"]["observations"].as_u64().unwrap() < OBSERVATIONS, "{what}: {status}");
        self.world.gateway.adds_up();
        assert_eq!(self.world.internet.wire.leaked(), []);
    }
}

/// A name that was never asked for, and looks like data.
fn random_name(number: u32) -> String {
    format!("{:08x}{number:08x}.flood.example", number.wrapping_mul(0x9e37_79b9))
}

fn asked(family: Family, number: u32) -> Vec<u8> {
    let id = u16::try_from(number % 0x1_0000).unwrap();
    crate::messages::bytes::Message { id, ..question(family, &random_name(number)) }.bytes()
}

/// Asks for one name after the other, that many at a time, and hears an answer to each.
fn ask_for_all(talk: &mut Talk, family: Family, numbers: std::ops::Range<u32>, at_a_time: usize) {
    for some in numbers.collect::<Vec<_>>().chunks(at_a_time) {
        for &number in some {
            talk.say(&asked(family, number));
        }
        for _ in some {
            talk.hear().unwrap();
        }
    }
}

const NAMES: u32 = 10_000;

/// Under an allowed wildcard.
fn random_names(dns: &'static str) -> Flood {
    let flood =
        start(dns, |family, asked| Some(many_addresses(family, asked.id, &asked.question.name, asked.id.into(), 1)));
    both(|family| {
        while_another_works(&flood.world, family, || {
            ask_for_all(&mut flood.talk(family, Carrier::Udp), family, 0..NAMES, 100);
            ask_for_all(&mut flood.talk(family, Carrier::Tcp), family, NAMES..NAMES + 2_000, 100);
        });
    });
    flood
}

#[test]
fn random_names_below_a_wildcard() {
    let flood = random_names("");
    assert!(flood.count("learned") >= u64::from(2 * (NAMES + 2_000)));
    flood.ends("random names");
}

#[test]
fn random_names_below_a_wildcard_with_questions_by_policy() {
    let flood = random_names(", queries: policy");
    // 256 for each address of the client, and one every ten seconds.
    assert!(flood.count("refused") >= u64::from(2 * (NAMES + 2_000)) - 2 * 300);
    flood.world.gateway.event(RESOLVER.of(Family::V6), 53, "overload");
    flood.ends("random names, by policy");
}

/// Each of another thousand, of another name.
#[test]
fn answers_with_a_thousand_addresses() {
    let flood = start("", |family, asked| {
        // Two names at each address.
        let first = u32::from(asked.id) / 2 * 1_000;
        Some(many_addresses(family, asked.id, &asked.question.name, first, 1_000))
    });
    both(|family| {
        while_another_works(&flood.world, family, || {
            ask_for_all(&mut flood.talk(family, Carrier::Udp), family, 0..100, 1);
            ask_for_all(&mut flood.talk(family, Carrier::Tcp), family, 100..250, 10);
        });
    });
    assert!(flood.count("learned") >= 500);
    flood.ends("a thousand addresses");
}

#[test]
fn answers_of_64_kib() {
    let flood = start("", |family, asked| {
        let count = if family == Family::V4 { 4_090 } else { 2_335 };
        let answer = many_addresses(family, asked.id, &asked.question.name, u32::from(asked.id) * count, count);
        assert!(answer.len() > 65_000);
        Some(answer)
    });
    both(|family| {
        while_another_works(&flood.world, family, || {
            // All connections that one client may have, and half of them not even read.
            let mut unread: Vec<DnsStream> = (0..31).map(|_| stream(&flood, family)).collect();
            for stream in &mut unread {
                (0..4).for_each(|number| drop(stream.say(&asked(family, number))));
            }
            for first in 0..15 {
                ask_for_all(&mut flood.talk(family, Carrier::Tcp), family, first * 2..first * 2 + 2, 2);
            }
        });
    });
    assert!(flood.count("learned") >= 60);
    flood.ends("64 KiB");
}

fn stream(flood: &Flood, family: Family) -> DnsStream {
    DnsStream::open(&flood.world.clients[0], RESOLVER.of(family)).unwrap()
}

/// Over each family.
const UNANSWERED: u32 = 25_000;

#[test]
fn questions_without_answers() {
    let flood = start("", |_, _| None);
    both(|family| {
        let before = flood.count("questions");
        while_another_works(&flood.world, family, || {
            let mut talk = flood.talk(family, Carrier::Udp);
            for first in (0..UNANSWERED).step_by(1_000) {
                (first..first + 1_000).for_each(|number| talk.say(&asked(family, number)));
                // As fast as decider takes them, and no faster: all are to be counted.
                eventually("room for more questions", || {
                    (flood.count("questions") >= before + u64::from(first + 1_000)).then_some(())
                });
            }
        });
    });
    assert!(flood.count("questions") >= u64::from(2 * UNANSWERED));
    flood.ends("no answers");
}
