//! Rules for some clients only, and rules that end.

use decider::model::{Reason, Verdict};

use crate::scene::{FAMILIES, Family, Stage};

/// For the client whose number is 7, for those from 128 on, and for all.
const RULES: &str = "rules:
  - { id: all, domain: shared.example, proto: ssh }
  - { id: upper, domain: shared.example, proto: ssh, clients: [10.77.1.128/25, \"fd77:1::128/125\", \"fd77:1::200/127\"] }
  - { id: one, domain: shared.example, proto: ssh, clients: [10.77.1.200, \"fd77:1::200\"] }
  - { id: only, domain: db.wild.example, proto: tcp, port: 5432, clients: [10.77.1.7, \"fd77:1::7\"] }
  - { id: wild, domain: \"*.wild.example\", proto: tcp, port: 5432, clients: [10.77.1.9, \"fd77:1::9\"] }
  - { id: not, domain: \"*.org.example\", proto: ssh, action: deny, clients: [10.77.1.7, \"fd77:1::7\"] }
  - { domain: a.org.example, proto: ssh }
  - { id: last, domain: ends.example, proto: ssh, expires: \"2030-01-01T00:00:30Z\" }
  - { id: past, domain: over.example, proto: ssh, expires: \"2029-12-31T23:59:59Z\" }
  - { id: stay, domain: denied.example, proto: ssh, clients: [10.77.1.7, \"fd77:1::7\"] }
  - { id: until, domain: denied.example, proto: tcp, port: 22, action: deny, clients: [10.77.1.8, \"fd77:1::8\"] }
";

fn stage(family: Family) -> Stage {
    Stage::ruled(family, "", "", &RULES.replace("proto: tcp, port: 22", "proto: ssh"))
}

/// The rule that decides of the n-th client, who asked for a name, and what it does.
fn decided(family: Family, client: u8, name: &str, port: u16) -> (Verdict, Option<String>) {
    let outcome = stage(family).told(client, name).decide(client, port);
    (outcome.verdict, outcome.rule)
}

#[test]
fn of_several_rules_the_one_for_the_fewest_counts() {
    for family in FAMILIES {
        for (client, rule) in [(7, "all"), (127, "all"), (129, "upper"), (200, "one")] {
            assert_eq!(
                decided(family, client, "shared.example", 22),
                (Verdict::Allow, Some(rule.to_owned())),
                "{client}"
            );
        }
    }
}

#[test]
fn to_others_it_is_as_if_it_were_not_there() {
    for family in FAMILIES {
        assert_eq!(decided(family, 7, "db.wild.example", 5432), (Verdict::Allow, Some("only".to_owned())));
        let other = stage(family).told(8, "db.wild.example").decide(8, 5432);
        assert_eq!((other.verdict, other.reason, other.rule), (Verdict::Deny, Reason::NameNotAllowed, None));
        // Another rule, for that client, is about the name.
        assert_eq!(decided(family, 9, "db.wild.example", 5432), (Verdict::Allow, Some("wild".to_owned())));
        let told = stage(family).told(8, "db.wild.example").explain(8, 5432);
        let step = told.steps.iter().rfind(|step| step.what == "rules").unwrap();
        assert!(step.found.ends_with("only is for other clients"), "{}", step.found);
    }
}

#[test]
fn what_one_client_is_told_allows_another_only_what_its_own_rules_do() {
    for family in FAMILIES {
        let stage = stage(family).told(7, "db.wild.example");
        assert_eq!(stage.decide(8, 5432).reason, Reason::NameNotAllowed);
        assert_eq!(stage.decide(9, 5432).rule.as_deref(), Some("wild"));
    }
}

#[test]
fn a_denial_for_a_client_beats_what_all_may() {
    for family in FAMILIES {
        assert_eq!(decided(family, 7, "a.org.example", 22), (Verdict::Deny, Some("not".to_owned())));
        assert_eq!(decided(family, 8, "a.org.example", 22).0, Verdict::Allow);
        assert_eq!(decided(family, 8, "denied.example", 22), (Verdict::Deny, Some("until".to_owned())));
        assert_eq!(decided(family, 7, "denied.example", 22), (Verdict::Allow, Some("stay".to_owned())));
    }
}

#[test]
fn a_rule_ends_on_its_time() {
    for family in FAMILIES {
        let stage = stage(family).told(7, "ends.example");
        let told = stage.explain(7, 22);
        assert!(told.steps.iter().any(|step| step.found.ends_with("last (ends in 30s)")), "{:?}", told.steps);
        let stage = stage.later(29);
        assert_eq!(stage.decide(7, 22).rule.as_deref(), Some("last"));
        let stage = stage.later(1);
        assert_eq!(stage.decide(7, 22).reason, Reason::NameNotAllowed);
        assert_eq!(decided(family, 7, "over.example", 22), (Verdict::Deny, None));
    }
}
