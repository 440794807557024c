//! Names on the wire against `*.example.com`, label by label: which of them it means, for questions and for connections.

use decider::model::{Reason, Verdict};
use decider::queue::Answer;
use decider::record::DnsOutcome;

use crate::messages::bytes::{ANSWER, INTERNET, Message, QUESTION, address, entry, labels_to_name};
use crate::packet_bytes::{BOTH, Family, SYN, TCP, ip, tcp};
use crate::world::{World, assert_event};

const POLICY: &str = "\
version: 1
intercept: { gateway: { interfaces: [lan0] } }
dns: { resolvers: [10.77.2.53, \"fd77:2::53\"] }
rules:
  - { domain: \"*.example.com\", proto: ssh }
  - { domain: \"*.b\u{fc}cher.example\", proto: ssh }
  - { domain: exact.example.com, proto: ssh }
  - { id: no, domain: \"*.no.example.com\", proto: ssh, action: deny }
";

const WILDCARD: &str = "*.example.com";
const INTERNATIONAL: &str = "*.xn--bcher-kva.example";

/// The labels of a name, and the rule by which it is allowed, or the reason that it is not.
type Case = (&'static [&'static [u8]], Result<&'static str, Reason>);

const CASES: &[Case] = &[
    (&[b"a", b"example", b"com"], Ok(WILDCARD)),
    (&[b"A", b"eXaMpLe", b"Com"], Ok(WILDCARD)),
    (&[b"a", b"b", b"c", b"d", b"example", b"com"], Ok(WILDCARD)),
    (&[b"_ssh", b"_tcp", b"example", b"com"], Ok(WILDCARD)),
    (&[b"_", b"example", b"com"], Ok(WILDCARD)),
    (&[b"xn--bcher-kva", b"example", b"com"], Ok(WILDCARD)),
    (&[b"com", b"example", b"com"], Ok(WILDCARD)),
    (&[b"below", b"exact", b"example", b"com"], Ok(WILDCARD)),
    (&[b"Exact", b"Example", b"com"], Ok("exact.example.com")),
    (&[b"a", b"xn--bcher-kva", b"example"], Ok(INTERNATIONAL)),
    (&[b"a", b"XN--BCHER-KVA", b"example"], Ok(INTERNATIONAL)),
    (&[b"a", b"no", b"example", b"com"], Err(Reason::DeniedByRule)),
    // The name itself, names that only end like it, and names that only begin like it.
    (&[b"example", b"com"], Err(Reason::NameNotAllowed)),
    (&[b"xn--bcher-kva", b"example"], Err(Reason::NameNotAllowed)),
    (&[b"badexample", b"com"], Err(Reason::NameNotAllowed)),
    (&[b"a", b"badexample", b"com"], Err(Reason::NameNotAllowed)),
    (&[b"a", b"example", b"com", b"evil", b"org"], Err(Reason::NameNotAllowed)),
    (&[b"a", b"example", b"org"], Err(Reason::NameNotAllowed)),
    (&[b"com"], Err(Reason::NameNotAllowed)),
    // What would be such a name in text, and is none on the wire: nothing is ever known by it.
    (&[b"a.example", b"com"], Err(Reason::NoObservation)),
    (&[b"evil.org", b"example", b"com"], Err(Reason::NoObservation)),
    (&[b"a", b"example.com"], Err(Reason::NoObservation)),
    (&[b"a\\", b"example", b"com"], Err(Reason::NoObservation)),
    (&[b"a\\.b", b"example", b"com"], Err(Reason::NoObservation)),
    (&[b"*", b"example", b"com"], Err(Reason::NoObservation)),
    (&[b"a b", b"example", b"com"], Err(Reason::NoObservation)),
    (&[b"a\0", b"example", b"com"], Err(Reason::NoObservation)),
    (&[b"b\xc3\xbccher", b"example", b"com"], Err(Reason::NoObservation)),
    (&[b"a", b"b\xfccher", b"example"], Err(Reason::NoObservation)),
];

fn message(family: Family, labels: &[&[u8]], flags: u16) -> Message {
    Message::new(flags, entry(&labels_to_name(labels), family.kind(), INTERNET))
}

#[test]
fn each_name_opens_what_its_rule_says_and_no_more() {
    for family in BOTH {
        for (labels, expected) in CASES {
            let mut world = World::with_policy(POLICY);
            let case = format!(
                "{family:?} {:?}",
                labels.iter().map(|label| label.escape_ascii().to_string()).collect::<Vec<_>>()
            );
            world.ask(family, &message(family, labels, QUESTION).bytes());
            world.reply(family, &message(family, labels, ANSWER).answer(address(family, 66)).bytes());
            let syn = |port| ip(family.client().ip(), family.address(66), TCP, &tcp(40_000, port, SYN, &[], &[]));
            let (answer, event) = world.syn(syn(22));
            match expected {
                Ok(rule) => {
                    assert_eq!(answer, world.listener(rule), "{case}");
                    assert_event(event.as_ref(), Verdict::Allow, Reason::Allowed, &case);
                }
                Err(reason) => {
                    assert_eq!(answer, world.deny(), "{case}");
                    assert_event(event.as_ref(), Verdict::Deny, *reason, &case);
                }
            }
            world.assert_sums();
        }
    }
}

#[test]
fn each_question_leaves_only_for_a_name_that_is_allowed() {
    let policy = POLICY.replace("dns: {", "dns: { queries: policy,");
    for family in BOTH {
        for (labels, expected) in CASES {
            let mut world = World::with_policy(&policy);
            let (answer, outcome, _) = world.ask(family, &message(family, labels, QUESTION).bytes());
            let expected = match expected {
                Ok(_) => (world.passes(), DnsOutcome::Question),
                Err(_) => (Answer::Drop, DnsOutcome::Refused),
            };
            assert_eq!((answer, outcome), expected, "{family:?} {labels:?}");
        }
    }
}
