//! What decider answers by itself, byte for byte: to questions that the policy does not allow, and in place of answers
//! that are not believed.

use decider::model::{Reason, Verdict};
use decider::queue::Answer;
use decider::record::DnsOutcome;

use crate::messages::bytes::{
    A, AAAA, ANY, CHAOS, CNAME, HTTPS, INTERNET, MX, Message, NS, OPT, PTR, QUESTION, REFUSED, SOA, SRV, SVCB, TXT,
    answer, edns, entry, name, question, record,
};
use crate::packet_bytes::{BOTH, Family};
use crate::world::{World, assert_event};

/// Response, recursion desired and available; NXDOMAIN.
const NO_SUCH_NAME: u16 = 0x8183;
const RECURSION_DESIRED: u16 = 0x0100;
const CHECKING_DISABLED: u16 = 0x0010;

const BY_POLICY: &str = "\
version: 1
intercept: { gateway: { interfaces: [lan0] } }
dns: { resolvers: [10.77.2.53, \"fd77:2::53\"], queries: policy }
rules:
  - { domain: github.com, proto: ssh }
  - { domain: denied.example, proto: ssh, action: deny }
";

/// Lets the client ask, and expects that exactly this is answered in the resolver's place.
fn is_answered(world: &mut World, family: Family, asked: &Message, expected: &Message, case: &str) {
    let (verdict, outcome, events) = world.ask(family, &asked.bytes());
    assert_eq!((verdict, outcome), (Answer::Drop, DnsOutcome::Refused), "{case}");
    assert_event(events.first(), Verdict::Deny, Reason::QueryNotAllowed, case);
    assert_eq!(world.replies(), [(family.resolver(), family.client(), expected.bytes())], "{case}");
    // The question never left, so an answer to it is nobody's.
    let (verdict, outcome, _) = world.reply(family, &expected.bytes());
    assert_eq!((verdict, outcome), (Answer::Drop, DnsOutcome::Unasked), "{case}");
}

fn refusal(asked: &Message) -> Message {
    Message { flags: REFUSED, additionals: vec![], ..asked.clone() }
}

/// An OPT record with extended error 15 and a text; `flags` are the lower half of its TTL.
fn blocked(flags: u16, text: &str) -> Vec<u8> {
    let error = [&15u16.to_be_bytes()[..], text.as_bytes()].concat();
    let option = [&15u16.to_be_bytes()[..], &u16::try_from(error.len()).unwrap().to_be_bytes(), &error].concat();
    crate::messages::bytes::record_of(1232, &[0], OPT, u32::from(flags), &option)
}

#[test]
fn a_question_that_no_rule_allows_is_refused_and_never_leaves() {
    for family in BOTH {
        let mut world = World::with_policy(BY_POLICY);
        let names =
            ["evil.example", "denied.example", "sub.github.com", "com", "GitHub.com.evil.example", "_x.y.example"];
        for asked in names {
            let message = Message { id: 0xbeef, ..question(family, asked) };
            is_answered(&mut world, family, &message, &refusal(&message), asked);
        }
        for kind in [TXT, MX, SRV, ANY, OPT, 0xfffe] {
            let message = Message::new(QUESTION, entry(&name("github.com"), kind, INTERNET));
            is_answered(&mut world, family, &message, &refusal(&message), &format!("type {kind}"));
        }
        let odd = [
            ("class", entry(&name("github.com"), A, CHAOS)),
            ("the root", entry(&[0], NS, INTERNET)),
            ("a reverse name", entry(&name("10.2.0.192.in-addr.arpa"), PTR, INTERNET)),
            ("an escaped dot", entry(&crate::messages::bytes::labels_to_name(&[b"github.com"]), A, INTERNET)),
        ];
        for (case, entry) in odd {
            let message = Message::new(QUESTION, entry);
            is_answered(&mut world, family, &message, &refusal(&message), case);
        }
    }
}

#[test]
fn a_question_that_a_rule_allows_goes_on() {
    for family in BOTH {
        let mut world = World::with_policy(BY_POLICY);
        for kind in [A, AAAA, HTTPS, SVCB, CNAME, SOA, NS, PTR] {
            let (verdict, outcome, events) =
                world.ask(family, &Message::new(QUESTION, entry(&name("GitHub.COM"), kind, INTERNET)).bytes());
            assert_eq!((verdict, outcome, events.len()), (world.passes(), DnsOutcome::Question, 0), "{kind}");
        }
        assert_eq!(world.replies(), []);
    }
}

#[test]
fn a_refusal_repeats_what_was_asked_to_the_letter() {
    for family in BOTH {
        let mut world = World::with_policy(BY_POLICY);
        let text = "no rule of the firewall allows this question";
        let plain = question(family, "eViL.eXaMpLe");
        is_answered(&mut world, family, &plain, &refusal(&plain), "mixed case");
        for (flags, expected) in [
            (0, REFUSED & !RECURSION_DESIRED),
            (QUESTION | CHECKING_DISABLED, REFUSED | CHECKING_DISABLED),
            (QUESTION | 0x0020, REFUSED),
        ] {
            let asked = Message { flags, ..plain.clone() };
            is_answered(&mut world, family, &asked, &Message { flags: expected, ..plain.clone() }, "flags");
        }
        let with_edns = plain.clone().additional(edns(4096, 0, &[]));
        is_answered(&mut world, family, &with_edns, &refusal(&plain).additional(blocked(0, text)), "EDNS");
        let with_cookie = plain.clone().additional(edns(512, 0, &[0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]));
        is_answered(&mut world, family, &with_cookie, &refusal(&plain).additional(blocked(0, text)), "a cookie");
        let dnssec = crate::messages::bytes::record_of(1232, &[0], OPT, 0x8000, &[]);
        let expected = refusal(&plain).additional(blocked(0x8000, text));
        is_answered(&mut world, family, &plain.clone().additional(dnssec), &expected, "DNSSEC");
    }
}

#[test]
fn the_canary_of_dns_over_https_does_not_exist() {
    let text = "the network's own resolvers are to be used";
    for family in BOTH {
        for mut world in [World::new(), World::with_policy(BY_POLICY)] {
            let asked = question(family, "use-application-dns.NET");
            let expected = Message { flags: NO_SUCH_NAME, ..asked.clone() };
            is_answered(&mut world, family, &asked, &expected, "canary");
            let asked = asked.additional(edns(1232, 0, &[]));
            is_answered(&mut world, family, &asked, &expected.additional(blocked(0, text)), "canary with EDNS");
        }
    }
}

#[test]
fn an_answer_with_a_private_address_is_refused_in_its_place() {
    for family in BOTH {
        let mut world = World::new();
        let private = match family {
            Family::V4 => vec![10, 0, 0, 1],
            Family::V6 => vec![0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        };
        let private = record(&name("github.com"), family.kind(), 300, &private);
        for (edns_too, public_too) in [(false, false), (false, true), (true, true)] {
            let mut true_answer = answer(family, "github.com").answer(private.clone());
            let mut expected = Message { flags: REFUSED, ..question(family, "github.com") };
            if public_too {
                true_answer = true_answer.answer(crate::messages::bytes::address(family, 66));
            }
            if edns_too {
                true_answer = true_answer.additional(edns(1232, 0, &[]));
                let text = "the name resolves to a private address, which the firewall does not believe";
                expected = expected.additional(blocked(0, text));
            }
            world.ask(family, &question(family, "github.com").bytes());
            let (verdict, outcome, events) = world.reply(family, &true_answer.bytes());
            assert_eq!((verdict, outcome), (Answer::Drop, DnsOutcome::Private));
            assert_event(events.first(), Verdict::Deny, Reason::PrivateAddress, "private");
            assert_eq!(world.replies(), [(family.resolver(), family.client(), expected.bytes())]);
            // The client never got the public one, so nothing is learned of it.
            assert!(world.learned().iter().all(|observed| observed.addr != family.address(66)));
        }
    }
}

#[test]
fn a_private_address_of_a_name_in_no_rule_is_none_of_our_business() {
    for family in BOTH {
        let mut world = World::new();
        let private = match family {
            Family::V4 => vec![10, 0, 0, 1],
            Family::V6 => vec![0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        };
        world.ask(family, &question(family, "printer.example").bytes());
        let record = record(&name("printer.example"), family.kind(), 300, &private);
        let (verdict, outcome, events) = world.reply(family, &answer(family, "printer.example").answer(record).bytes());
        assert_eq!((verdict, outcome, events.len()), (Answer::Pass, DnsOutcome::Learned, 0));
        assert_eq!(world.replies(), []);
    }
}

#[test]
fn audit_refuses_nothing_and_says_what_it_would() {
    for family in BOTH {
        let mut world = World::with_policy(&format!("{BY_POLICY}mode: audit\n"));
        let (verdict, outcome, events) = world.ask(family, &question(family, "evil.example").bytes());
        assert_eq!((verdict, outcome), (world.passes(), DnsOutcome::Refused));
        assert_event(events.first(), Verdict::Audit, Reason::QueryNotAllowed, "audit");
        let (verdict, outcome, events) = world
            .reply(family, &answer(family, "evil.example").answer(crate::messages::bytes::address(family, 1)).bytes());
        assert_eq!((verdict, outcome, events.len()), (Answer::Pass, DnsOutcome::Learned, 0));
        assert_eq!(world.replies(), []);
    }
}

#[test]
fn names_below_a_wildcard_are_too_few_for_a_tunnel() {
    let policy = BY_POLICY.replace("github.com, proto", "\"*.example.com\", proto");
    let text = "too many questions below a wildcard of the firewall's rules";
    for family in BOTH {
        let mut world = World::with_policy(&policy);
        let ask = |world: &mut World, asked: &str| world.ask(family, &question(family, asked).bytes());
        let asked = (0..400).map(|number| ask(&mut world, &format!("data-{number}.example.com")).1);
        let asked = asked.filter(|&outcome| outcome == DnsOutcome::Question).count();
        // One more with every ten seconds, should this test be that slow.
        assert!((256..260).contains(&asked), "{asked}");
        let message = question(family, "more.example.com").additional(edns(1232, 0, &[]));
        world.replies();
        let (verdict, _, events) = world.ask(family, &message.bytes());
        assert_eq!(verdict, Answer::Drop);
        assert_event(events.first(), Verdict::Deny, Reason::Overload, "more");
        let expected = refusal(&message).additional(blocked(0, text));
        assert_eq!(world.replies(), [(family.resolver(), family.client(), expected.bytes())]);
        // What it asked for before it may ask for again.
        assert_eq!(ask(&mut world, "data-7.example.com").1, DnsOutcome::Question);
    }
}
