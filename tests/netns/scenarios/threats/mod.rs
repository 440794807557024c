//! Each line of the list in docs/security.md under its number, for IPv4 and IPv6. Lies in DNS, and confusion about who meant
//! what, over UDP and TCP, from a resolver that says what it is told to; behind them packets, load and accidents.

mod answers;
mod confusion;
mod host;
pub mod many;
mod overload;
mod packets;
mod private;
mod proxy;
mod questions;
mod spoofs;
mod start;

use std::collections::BTreeMap;

use crate::messages::bytes::{ANSWER, INTERNET, Message, entry, name, question};
use crate::world::{Actor, Carrier, Family, RESOLVER, STRANGER, Setup, Talk, World};

/// A world and a resolver that plays a part. Between its lies it answers one question as it should: so what did not come
/// before that answer does not come at all.
struct Scene {
    world: World,
    actor: Actor,
    counted: BTreeMap<String, u64>,
}

/// The question that is answered as it should be.
fn honest_question(family: Family) -> Vec<u8> {
    Message { id: 0x7777, ..question(family, "honest.example") }.bytes()
}

/// There is no such name.
fn honest_answer(family: Family) -> Vec<u8> {
    let entry = entry(&name("honest.example"), family.kind(), INTERNET);
    Message { id: 0x7777, ..Message::new(ANSWER | 3, entry) }.bytes()
}

/// Sees that exactly these come, and nothing more: the honest answer is the next.
fn hears(talk: &mut Talk, family: Family, messages: &[Vec<u8>], case: &str) {
    for message in messages {
        let heard = talk.hear().unwrap_or_else(|error| panic!("{case}: {error}"));
        assert!(&heard == message, "{case}: heard {heard:02x?}");
    }
    talk.say(&honest_question(family));
    assert_eq!(talk.hear().unwrap(), honest_answer(family), "{case}");
}

/// Octets of the largest message that comes through. Of a packet the kernel hands over 65,531 octets, headers and all
/// (`NFQNL_MAX_COPY_RANGE`); what is longer is refused as cut.
fn room(carrier: Carrier) -> u32 {
    match carrier {
        Carrier::Udp => 65_531 - 40 - 8,
        Carrier::Tcp => 65_535,
    }
}

impl Scene {
    fn start(setup: Setup) -> Self {
        let (world, actor) = setup.start_with_actor();
        Self::of(world, actor)
    }

    fn of(world: World, actor: Actor) -> Self {
        Self { world, actor, counted: BTreeMap::new() }
    }

    /// The resolver says this to the first client, whatever is asked.
    fn lies(&self, messages: Vec<Vec<u8>>) {
        self.actor.says(move |asked| match Family::BOTH.into_iter().find(|&family| asked == honest_question(family)) {
            Some(family) => vec![honest_answer(family)],
            None => messages.clone(),
        });
    }

    fn talk(&self, family: Family, carrier: Carrier) -> Talk {
        Talk::open(&self.world.clients[0], family, carrier)
    }

    /// Sees that exactly these come, and nothing more: the honest answer is the next.
    /// Sees what became of the messages since this was asked last, each counted once.
    fn counts(&mut self, expected: &[(&str, u64)], case: &str) {
        let now = self.world.gateway.messages();
        let more = |(what, &count): (&String, &u64)| {
            let more = count - self.counted.get(what).copied().unwrap_or(0);
            (more > 0).then(|| (what.clone(), more))
        };
        let changed: BTreeMap<String, u64> = now.iter().filter_map(more).collect();
        let mut sums = BTreeMap::<String, u64>::new();
        for (what, count) in expected {
            *sums.entry((*what).to_owned()).or_default() += count;
        }
        assert_eq!(changed, sums, "{case}");
        self.counted = now;
    }

    /// The stranger, whom the lies are about, is out of reach, for that reason.
    fn stranger_is_refused(&self, family: Family, reason: &str) {
        self.world.clients[0].is_refused(STRANGER.of(family), 22);
        self.world.gateway.event(STRANGER.of(family), 22, reason);
    }

    /// An event says why a message was refused.
    fn says_why(&self, family: Family, carrier: Carrier, reason: &str) {
        let event = self.world.gateway.event_by(carrier.word(), RESOLVER.of(family), 53, reason);
        assert_eq!(event["verdict"], "deny", "{event}");
    }

    /// At the end: nobody got to the stranger, and all packets are accounted for.
    fn ends(self) {
        self.world.gateway.adds_up();
        for stranger in STRANGER.both() {
            assert_eq!(self.world.internet.wire.to(stranger), []);
        }
        assert_eq!(self.world.internet.wire.leaked(), []);
    }
}
