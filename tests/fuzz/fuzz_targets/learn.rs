//! Events, a line each, or a capture: whatever they hold, what is learned of them is a policy, plain text, and lets nothing
//! through that was not seen.

#![no_main]

use std::collections::BTreeSet;

use decider::learn::{Base, Proposal, Seen, Settings, write};
use decider::model::{DomainName, Epoch, NamePattern, Who};
use decider::policy::{Policy, SlotTable, has_one_owner, load};
use decider::record::Event;
use decider::replay::{Capture, Clients, Player};
use libfuzzer_sys::fuzz_target;

/// As the command has it if nothing else is said.
const SIBLINGS: usize = 3;

const POLICY: &str = "\
version: 1
mode: audit
intercept: { gateway: { interfaces: [lan0] } }
dns: { capacity: 1000, resolvers: [10.77.2.53, \"fd77:2::53\"] }
rules: []
";

fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    check(&lines.collect::<Vec<Event>>());
    check(&played(bytes));
});

fn played(bytes: &[u8]) -> Vec<Event> {
    let mut player = Player::new(compiled(POLICY), Clients::default());
    let mut events = Vec::new();
    if let Ok(mut capture) = Capture::open(bytes) {
        let ts = jiff::Timestamp::UNIX_EPOCH;
        let _ = capture.each(|captured| {
            player.play(&captured, |record| events.push(Event::from_record(record, ts, None, Who::default())));
        });
    }
    events
}

fn compiled(text: &str) -> Policy {
    let spec = load(text).unwrap_or_else(|problems| panic!("{text}\n{problems:?}")).spec;
    let mut slots = SlotTable::default();
    slots.assign(&spec).expect("there are marks for all that is kept");
    Policy::compile(spec, &slots, Epoch(1)).expect("every rule has a slot")
}

fn check(events: &[Event]) {
    let mut seen = Seen::new();
    events.iter().for_each(|event| seen.look_at(event));
    let proposal = Proposal::of(&seen, None, SIBLINGS);
    let text = write(&Settings::new(&seen, &[]).yaml(), &proposal).expect("the settings are a policy");
    assert!(text.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{text:?}");
    let pairs: BTreeSet<(&DomainName, u16)> =
        events.iter().filter_map(|event| Some((event.domain.as_ref()?, event.dst_port))).collect();
    for rule in &proposal.rules {
        for port in &rule.ports {
            match rule.domain.base() {
                Some(base) => {
                    let below = pairs.iter().filter(|(name, seen)| seen == port && rule.domain.matches(name));
                    assert!(below.count() >= SIBLINGS && has_one_owner(base), "{rule:?}");
                }
                None => {
                    let is_it = |name: &DomainName| NamePattern::from(name.clone()) == rule.domain;
                    assert!(pairs.iter().any(|(name, seen)| seen == port && is_it(name)), "{rule:?}");
                }
            }
        }
    }
    let policy = compiled(&text);
    let base = Base { policy: &policy, keeps_rules: true, says_upstream: false };
    assert_eq!(Proposal::of(&seen, Some(&base), SIBLINGS).rules, [], "what was proposed is missing still");
}
