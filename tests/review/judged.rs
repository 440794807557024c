//! What a policy says of single events, and how many of those that change are told apart.

use decider::model::{DomainName, Epoch};
use decider::policy::{Policy, SlotTable, load};
use decider::record::Event;
use decider::review::{Changes, judge};
use serde_json::{Value, json};

use crate::{OLD, event};

const CLIENTS: [(&str, &str); 2] = [("10.77.1.2", "192.0.2.10"), ("fd77:1::2", "2001:db8::10")];

fn policy(text: &str) -> Policy {
    let spec = load(text).unwrap().spec;
    let mut slots = SlotTable::default();
    slots.assign(&spec).unwrap();
    Policy::compile(spec, &slots, Epoch::default()).unwrap()
}

/// The same with other fields.
fn with(event: &str, fields: &Value) -> Event {
    let mut event: Value = serde_json::from_str(event).unwrap();
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(event).unwrap()
}

/// The judgement in the words of events; none if there is none.
fn said(policy: &Policy, event: &Event) -> Option<String> {
    let judgement = judge(policy, event)?;
    let rule = judgement.rule.map(|rule| format!(" {rule}")).unwrap_or_default();
    Some(format!("{} {}{rule}", judgement.verdict, judgement.reason))
}

#[test]
fn other_names_of_an_address_count_and_any_denial_beats_all_of_them() {
    let denies = OLD.to_owned() + "  - { domain: old.example, proto: ssh, action: deny }\n";
    let (old, denies) = (policy(OLD), policy(&denies));
    for (client, dst) in CLIENTS {
        let named = |name: &str, also: &[&str], port: u16| {
            with(&event(client, "no-observation", Some(name), dst, port), &json!({ "also": also }))
        };
        let github = Some("allow allowed github.com:22/ssh".to_owned());
        assert_eq!(said(&old, &named("x.example", &["y.example", "github.com"], 22)), github);
        assert_eq!(said(&denies, &named("github.com", &["y.example"], 22)), github);
        let denied = Some("deny denied-by-rule old.example:22/ssh".to_owned());
        assert_eq!(said(&denies, &named("old.example", &["github.com"], 22)), denied);
        assert_eq!(said(&denies, &named("github.com", &["old.example"], 22)), denied);
        // A port that other rules have.
        assert_eq!(said(&old, &named("github.com", &[], 5432)), Some("deny port-not-allowed".to_owned()));
        assert_eq!(said(&old, &named("x.example", &[], 5432)), Some("deny name-not-allowed".to_owned()));
        assert_eq!(
            said(&old, &with(&event(client, "no-observation", None, dst, 22), &json!({ "proto": "udp" }))),
            None
        );
    }
}

#[test]
fn questions_and_resolvers_are_judged_by_what_the_policy_says_of_dns() {
    let strict = policy(&OLD.replace("dns: {", "dns: { queries: policy,"));
    let old = policy(OLD);
    for ((client, _), resolver) in CLIENTS.into_iter().zip(["10.77.2.53", "fd77:2::53"]) {
        let asked = |name: &str| with(&event(client, "query-not-allowed", Some(name), resolver, 53), &json!({}));
        let goes_on = Some("allow allowed-resolver".to_owned());
        assert_eq!(said(&old, &asked("x.example")), goes_on);
        assert_eq!(said(&strict, &asked("github.com")), goes_on);
        assert_eq!(said(&strict, &asked("x.example")), Some("deny query-not-allowed".to_owned()));
        let to = |dst: &str, port| with(&event(client, "resolver-not-trusted", None, dst, port), &json!({}));
        assert_eq!(said(&old, &to(resolver, 53)), goes_on);
        assert_eq!(said(&old, &to("192.0.2.53", 53)), Some("deny resolver-not-trusted".to_owned()));
        // Names that are asked of everybody on a link.
        assert_eq!(said(&old, &to(resolver, 5353)), None);
    }
}

#[test]
fn what_stands_for_many_counts_as_many_and_what_is_alike_is_one() {
    let (old, new) = (policy(OLD), policy(&OLD.replace("github.com", "gitlab.com")));
    for (client, dst) in CLIENTS {
        let mut changes = Changes::default();
        for (to, times) in [(dst, 7), ("192.0.2.99", 2)] {
            let event = event(client, "allowed", Some("github.com"), to, 22);
            changes.look_at(&with(&event, &json!({ "repeated": times })), &old, &new);
        }
        let found: Vec<_> = changes.each().map(|change| (change.kind.dst, change.times)).collect();
        assert_eq!((found, changes.changed, changes.decisions), (vec![(None, 9)], 9, 9));
        // Refused as before, but for another reason.
        let mut changes = Changes::default();
        let gone = policy(&OLD.replace("  - { domain: db.example.com, proto: tcp, port: 5432 }\n", ""));
        changes.look_at(&with(&event(client, "no-observation", None, dst, 5432), &json!({})), &old, &gone);
        assert_eq!((changes.changed, changes.each().count()), (1, 1));
    }
}

#[test]
fn however_many_change_those_that_are_told_apart_are_bounded_and_all_are_counted() {
    let (old, new) = (policy(OLD), policy(&format!("{OLD}mode: audit\n")));
    let mut changes = Changes::default();
    let mut event = with(&event("10.77.1.2", "name-not-allowed", Some("x.example"), "192.0.2.1", 22), &json!({}));
    let mut look_at = |number: u32| {
        event.domain = Some(DomainName::parse(&format!("n{number}.example")).unwrap());
        changes.look_at(&event, &old, &new);
    };
    (0..10_100).for_each(&mut look_at);
    look_at(0);
    let told: Vec<u64> = changes.each().map(|change| change.times).collect();
    assert_eq!((told.len(), told.iter().sum::<u64>(), changes.changed), (10_000, 10_001, 10_101));
}
