use decider::dns;
use decider::model::{Reason, Verdict};
use decider::queue::Answer;
use decider::record::DnsOutcome;

use crate::messages::questions::CASES;
use crate::packet_bytes::{BOTH, Family};
use crate::world::{World, assert_event};

#[test]
fn each_question_is_what_it_is() {
    for family in BOTH {
        for case in CASES {
            let bytes = (case.bytes)(family);
            let name = &format!("a question {} over {family:?}", case.name);
            assert_eq!(dns::question(&bytes).err(), case.error, "{name}");
            match case.error {
                None => assert_passes(family, &bytes, name),
                Some(_) => assert_dropped(family, &bytes, name),
            }
        }
    }
}

fn assert_passes(family: Family, bytes: &[u8], name: &str) {
    for mut world in [World::new(), World::audit()] {
        let (answer, outcome, events) = world.ask(family, bytes);
        assert_eq!((answer, outcome), (world.passes(), DnsOutcome::Question), "{name}");
        assert!(events.is_empty(), "{name}");
        assert_eq!(world.shared.pending.lock().unwrap().len(), 1, "{name}");
    }
}

fn assert_dropped(family: Family, bytes: &[u8], name: &str) {
    let audit = World::audit();
    let passes = audit.passes();
    let cases = [(World::new(), Answer::Drop, Verdict::Deny), (audit, passes, Verdict::Audit)];
    for (mut world, expected, verdict) in cases {
        let (answer, outcome, events) = world.ask(family, bytes);
        assert_eq!((answer, outcome), (expected, DnsOutcome::Malformed), "{name}");
        assert_event(events.first(), verdict, Reason::Malformed, name);
        assert_eq!(events.len(), 1, "{name}");
        assert_eq!((events[0].client, events[0].dst), (family.client(), family.resolver()), "{name}");
        assert_eq!(world.shared.pending.lock().unwrap().len(), 0, "{name}");
        assert!(world.learned().is_empty(), "{name}");
    }
}
