use std::time::Duration;

use decider::dns::{self, Found, Outcome};
use decider::model::{Reason, Verdict};
use decider::queue::Answer;
use decider::record::DnsOutcome;

use crate::messages::answers::{ALL, Case, Teaches, question_of};
use crate::packet_bytes::{BOTH, Family};
use crate::world::{World, assert_event};

/// Tries each case: the client asks what the answer says it answers, and then is answered.
pub fn check(cases: &[Case]) {
    for family in BOTH {
        for case in cases {
            let bytes = (case.bytes)(family);
            let name = &format!("an answer {} over {family:?}", case.name);
            let parsed = dns::answer(&bytes);
            match case.teaches {
                Teaches::These(expected) => {
                    let expected: Vec<Found> = expected
                        .iter()
                        .map(|&(n, ttl)| Found { addr: family.address(n), ttl: Duration::from_secs(ttl) })
                        .collect();
                    let found = found(parsed.unwrap().outcome, name);
                    assert_eq!(found, expected, "{name}");
                    assert_learned(family, &bytes, &found, name);
                }
                Teaches::Many(count) => {
                    let found = found(parsed.unwrap().outcome, name);
                    assert_eq!(found.len(), count, "{name}");
                    assert_learned(family, &bytes, &found, name);
                }
                Teaches::Nothing(why) => {
                    assert_eq!(parsed.unwrap().outcome, Outcome::Nothing(why), "{name}");
                    assert_learned(family, &bytes, &[], name);
                }
                Teaches::Error(error) => {
                    assert_eq!(parsed, Err(error), "{name}");
                    assert_dropped(family, &bytes, name);
                }
            }
        }
    }
}

fn found(outcome: Outcome, name: &str) -> Vec<Found> {
    match outcome {
        Outcome::Addresses { found, .. } => found,
        Outcome::Nothing(why) => unreachable!("{name} teaches nothing: {why:?}"),
    }
}

fn assert_learned(family: Family, bytes: &[u8], found: &[Found], name: &str) {
    let mut world = match dns::answer(bytes).unwrap().outcome {
        Outcome::Addresses { name, .. } => World::with_rule_for(&name),
        Outcome::Nothing(_) => World::new(),
    };
    world.ask(family, &question_of(bytes));
    let (answer, outcome, events) = world.reply(family, bytes);
    let expected = if found.is_empty() { DnsOutcome::TaughtNothing } else { DnsOutcome::Learned };
    assert_eq!((answer, outcome), (Answer::Pass, expected), "{name}");
    assert!(events.is_empty(), "{name}");
    let learned: Vec<_> = world.learned().into_iter().map(|record| (record.addr, record.ttl)).collect();
    let found: Vec<_> = found.iter().map(|found| (found.addr, found.ttl)).collect();
    assert_eq!(learned, found, "{name}");
    assert_eq!(world.shared.pending.lock().unwrap().len(), 0, "{name}");
}

fn assert_dropped(family: Family, bytes: &[u8], name: &str) {
    let cases = [(World::new(), Answer::Drop, Verdict::Deny), (World::audit(), Answer::Pass, Verdict::Audit)];
    for (mut world, expected, verdict) in cases {
        // Whatever it says it answers, this is what the client asked.
        world.ask(family, &crate::messages::bytes::question(family, "github.com").bytes());
        let (answer, outcome, events) = world.reply(family, bytes);
        assert_eq!((answer, outcome), (expected, DnsOutcome::Malformed), "{name}");
        assert_event(events.first(), verdict, Reason::Malformed, name);
        assert_eq!((events[0].client, events[0].dst), (family.client(), family.resolver()), "{name}");
        assert!(world.learned().is_empty(), "{name}");
        assert_eq!(world.shared.pending.lock().unwrap().len(), 1, "{name}: the honest answer may yet come");
    }
}

#[test]
fn each_answer_is_what_it_is() {
    ALL.into_iter().for_each(check);
}
