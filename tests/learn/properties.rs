//! Whatever was seen: what is learned lets it through, and nothing else.

use std::collections::BTreeSet;

use decider::learn::{Base, Proposal, Seen, Settings, write};
use decider::model::{DomainName, NamePattern, Reason, Verdict};
use decider::policy::{NameMatch, Policy, load};
use decider::record::Event;
use decider::review::judge;
use proptest::prelude::*;

use crate::events::{CLIENT, TWIN, named, unnamed};
use crate::played::policy;

const NAMES: &[&str] = &[
    "a.example.com",
    "b.example.com",
    "c.example.com",
    "example.com",
    "a.x.example.com",
    "b.x.example.com",
    "c.x.example.com",
    "d.e.x.example.com",
    "a.co.uk",
    "b.co.uk",
    "c.co.uk",
    "a.github.io",
    "b.github.io",
    "c.github.io",
    "a.amazonaws.com",
    "b.amazonaws.com",
    "c.amazonaws.com",
    "s3.amazonaws.com",
    "x.s3.amazonaws.com",
    "a.com",
    "b.com",
    "c.com",
    "null",
    "localhost",
    "1.2.example",
    "-.example",
    "xn--bcher-kva.example",
];
const PORTS: &[u16] = &[22, 443, 5432, 1, 65535];
const ADDRESSES: &[&str] = &["192.0.2.1", "198.51.100.1", "2001:db8::1", "2001:db8:1::1"];

fn event() -> impl Strategy<Value = Event> {
    let reasons = prop::sample::select(vec![
        Reason::Allowed,
        Reason::NameNotAllowed,
        Reason::PortNotAllowed,
        Reason::ListenerNotReady,
        Reason::NoObservation,
    ]);
    let verdicts = prop::sample::select(vec![Verdict::Allow, Verdict::Audit, Verdict::Deny]);
    let who = prop::sample::select(vec![CLIENT, TWIN]);
    let to = (prop::sample::select(NAMES), prop::sample::select(PORTS), prop::sample::select(ADDRESSES));
    (0..2000_i64, who, to, reasons, verdicts, 0..9_u8).prop_map(
        |(minute, client, (name, port, dst), reason, verdict, odd)| {
            let event =
                if odd == 0 { unnamed(minute, client, dst, port) } else { named(minute, client, name, dst, port) };
            Event { reason, verdict, ..event }
        },
    )
}

fn learned(events: &[Event], base: Option<(&Policy, bool)>, siblings: usize) -> (Proposal, Policy) {
    let mut seen = Seen::new();
    for event in events {
        seen.look_at(event);
    }
    let base = base.map(|(policy, keeps_rules)| Base { policy, keeps_rules, says_upstream: false });
    let proposal = Proposal::of(&seen, base.as_ref(), siblings);
    let text = write(&Settings::new(&seen, &[]).yaml(), &proposal).unwrap();
    assert!(load(&text).is_ok(), "{text}");
    (proposal, policy(&text))
}

/// Every name that could be let through, seen or not.
fn all_names() -> impl Iterator<Item = DomainName> {
    let below = NAMES.iter().flat_map(|name| [(*name).to_owned(), format!("stranger.{name}"), format!("a.b.{name}")]);
    let beside = NAMES.iter().filter_map(|name| name.split_once('.')).map(|(_, parent)| format!("stranger.{parent}"));
    below.chain(beside).map(|name| DomainName::parse(&name).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_seen_is_let_through_and_what_was_not_is_refused(
        events in prop::collection::vec(event(), 0..60),
        siblings in 0..5_usize,
    ) {
        let (proposal, policy) = learned(&events, None, siblings);
        let pairs: BTreeSet<(&DomainName, u16)> =
            events.iter().filter_map(|event| Some((event.domain.as_ref()?, event.dst_port))).collect();
        for event in events.iter().filter(|event| event.domain.is_some()) {
            prop_assert_eq!(judge(&policy, event).unwrap().verdict, Verdict::Allow, "{:?}", event);
        }
        let wild: Vec<(&NamePattern, &[u16])> =
            proposal.rules.iter().filter(|rule| rule.domain.is_wild()).map(|rule| (&rule.domain, &*rule.ports)).collect();
        for name in all_names() {
            for &port in PORTS {
                let below = wild.iter().any(|(pattern, ports)| pattern.matches(&name) && ports.contains(&port));
                let is_allowed = matches!(policy.lookup(&name, port), NameMatch::Allow(_));
                prop_assert_eq!(is_allowed, below || pairs.contains(&(&name, port)), "{} {}", name, port);
            }
        }
        // A wildcard has its siblings, and an owner.
        for (pattern, ports) in wild {
            let base = pattern.base().unwrap();
            for port in ports {
                let is_right_below = |name: &str| name.strip_suffix(base).is_some_and(|label| label.matches('.').count() == 1 && label.ends_with('.'));
                let count = pairs.iter().filter(|(name, seen)| seen == port && is_right_below(name.as_str())).count();
                prop_assert!(siblings > 0 && count >= siblings, "{} {}", pattern, port);
            }
            prop_assert!(["example.com", "x.example.com", "2.example"].contains(&base) || siblings == 1, "{}", pattern);
            prop_assert!(!["com", "co.uk", "github.io", "amazonaws.com", "s3.amazonaws.com"].contains(&base), "{}", pattern);
        }
    }

    #[test]
    fn no_rule_is_proposed_twice_and_none_that_there_is(
        before in prop::collection::vec(event(), 0..20),
        after in prop::collection::vec(event(), 0..20),
    ) {
        let (_, base) = learned(&before, None, 3);
        let (more, _) = learned(&after, Some((&base, true)), 3);
        for rule in &more.rules {
            for name in &rule.names {
                prop_assert!(rule.ports.iter().any(|port| !matches!(base.lookup(name, *port), NameMatch::Allow(_))));
            }
            if let Ok(name) = DomainName::parse(rule.domain.as_str()) {
                prop_assert!(rule.ports.iter().all(|port| !matches!(base.lookup(&name, *port), NameMatch::Allow(_))));
            }
        }
        let (again, _) = learned(&before, Some((&base, true)), 3);
        prop_assert!(again.rules.is_empty(), "{:?}", again.rules);
    }
}
