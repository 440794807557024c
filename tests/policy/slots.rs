//! A rule keeps its mark and its port for as long as it has its id.

use std::collections::HashMap;

use decider::model::{Epoch, Mark};
use decider::policy::{Policy, Route, SlotTable};
use proptest::prelude::*;

use crate::{accepted, with_rules};

/// The rules with these numbers, in this order, compiled with the slots of before.
fn routes(numbers: &[u8], slots: &mut SlotTable) -> Vec<Route> {
    let rules: Vec<String> =
        numbers.iter().map(|number| format!("{{ domain: h{number}.example.com, proto: ssh }}")).collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let text = if rules.is_empty() {
        with_rules(&["{ domain: x.example.com, proto: ssh, action: deny }"])
    } else {
        with_rules(&rules)
    };
    let spec = accepted(&text);
    slots.assign(&spec).unwrap();
    Policy::compile(spec, slots, Epoch::default()).unwrap().routes().to_vec()
}

fn marks(routes: &[Route]) -> HashMap<String, (Mark, u16)> {
    routes.iter().map(|route| (route.rule.id.to_string(), (route.mark, route.listener_port))).collect()
}

#[test]
fn order_and_neighbours_do_not_matter() {
    let mut slots = SlotTable::default();
    let before = marks(&routes(&[1, 2, 3], &mut slots));
    let reordered = marks(&routes(&[3, 1, 2], &mut slots));
    assert_eq!(before, reordered);
    let grown = marks(&routes(&[9, 3, 8, 1, 2], &mut slots));
    let shrunk = marks(&routes(&[2], &mut slots));
    for (id, given) in &before {
        assert_eq!(grown.get(id), Some(given));
        assert!(shrunk.get(id).is_none_or(|kept| kept == given));
    }
}

#[test]
fn ports_follow_the_first_one_and_marks_the_mask() {
    let mut slots = SlotTable::default();
    let given = routes(&[1, 2], &mut slots);
    assert_eq!(given.iter().map(|route| route.listener_port).collect::<Vec<_>>(), [15100, 15101]);
    assert_eq!(given.iter().map(|route| route.index).collect::<Vec<_>>(), [0, 1]);
    assert_ne!(given[0].mark, given[1].mark);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Through any number of changed policies, with the table saved and read back between them.
    #[test]
    fn whoever_stays_keeps_what_it_has(
        policies in prop::collection::vec(prop::sample::subsequence((0..30).collect::<Vec<u8>>(), 0..30).prop_shuffle(), 1..8)
    ) {
        let mut slots = SlotTable::default();
        let mut before = HashMap::new();
        for numbers in policies {
            let now = marks(&routes(&numbers, &mut slots));
            let mut seen = std::collections::HashSet::new();
            for (id, given) in &now {
                prop_assert!(seen.insert(*given), "{id} shares {given:?}");
                if let Some(kept) = before.get(id) {
                    prop_assert_eq!(kept, given, "{} was moved", id);
                }
            }
            let saved = serde_json::to_string(&slots).unwrap();
            slots = serde_json::from_str(&saved).unwrap();
            before = now;
        }
    }
}
