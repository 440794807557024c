use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::model::{RuleId, Slot};

use super::spec::{Action, Spec};

/// Which slot each rule has. Saved, so that a rule keeps its mark and its port across reloads and restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotTable {
    slots: BTreeMap<RuleId, Slot>,
    /// Slots whose rule is gone, the longest gone first.
    freed: Vec<Slot>,
}

/// There are more rules than slots.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("marks.mask has room for {room} rules with a listener, and there are {rules}: give it more bits")]
pub struct SlotError {
    /// How many slots the mask and the ports give.
    pub room: u32,
    /// How many rules need one.
    pub rules: usize,
}

impl SlotTable {
    /// Gives each allow rule of the policy a slot: the one it has, else one that no rule ever had, else the one that
    /// was given back longest ago. Rules that are gone give theirs back.
    ///
    /// # Errors
    /// If there are more rules than slots; then nothing is changed.
    pub fn assign(&mut self, spec: &Spec) -> Result<(), SlotError> {
        self.assign_but(spec, &HashSet::new()).map(drop)
    }

    /// The same while something of these slots is still alive: they are given to nobody new. Returns the rules that have
    /// to wait for one of them.
    ///
    /// # Errors
    /// As [`assign`](Self::assign).
    pub fn assign_but(&mut self, spec: &Spec, alive: &HashSet<Slot>) -> Result<Vec<RuleId>, SlotError> {
        let wanted: Vec<&RuleId> =
            spec.rules.iter().filter(|rule| rule.action == Action::Allow).map(|rule| &rule.id).collect();
        let room = room(spec);
        if wanted.len() > usize::try_from(room).unwrap_or(usize::MAX) {
            return Err(SlotError { room, rules: wanted.len() });
        }
        self.release_all_but(&wanted.iter().copied().collect(), room);
        Ok(self.give(&wanted, room, alive))
    }

    /// The slot of a rule.
    #[must_use]
    pub fn get(&self, id: &RuleId) -> Option<Slot> {
        self.slots.get(id).copied()
    }

    /// Takes back the slots of rules that are gone, and those that no rule can have: outside the room, or another's.
    fn release_all_but(&mut self, wanted: &HashSet<&RuleId>, room: u32) {
        let inside = |slot: Slot| u32::from(slot.0) < room;
        let mut taken = HashSet::new();
        let mut gone = Vec::new();
        self.slots.retain(|id, slot| {
            let keep = wanted.contains(id) && inside(*slot) && taken.insert(*slot);
            if !keep {
                gone.push(*slot);
            }
            keep
        });
        gone.sort_unstable();
        self.freed.extend(gone);
        // What is in `taken` is in use: of the rest, each slot once.
        self.freed.retain(|slot| inside(*slot) && taken.insert(*slot));
    }

    fn give(&mut self, wanted: &[&RuleId], room: u32, alive: &HashSet<Slot>) -> Vec<RuleId> {
        let known: HashSet<Slot> = self.slots.values().chain(&self.freed).copied().collect();
        let mut fresh = (0..u16::try_from(room).unwrap_or(u16::MAX)).map(Slot).filter(|slot| !known.contains(slot));
        let (kept, freed): (Vec<Slot>, Vec<Slot>) =
            std::mem::take(&mut self.freed).into_iter().partition(|slot| alive.contains(slot));
        let mut freed = freed.into_iter();
        let mut waiting = Vec::new();
        for &id in wanted {
            if self.slots.contains_key(id) {
                continue;
            }
            match fresh.next().or_else(|| freed.next()) {
                Some(slot) => drop(self.slots.insert(id.clone(), slot)),
                None => waiting.push(id.clone()),
            }
        }
        self.freed = freed.chain(kept).collect();
        waiting
    }
}

/// How many slots there are: as many as marks, and as ports from the first one on.
#[must_use]
pub fn room(spec: &Spec) -> u32 {
    let ports = u32::from(u16::MAX - spec.envoy.first_port) + 1;
    spec.marks.slots().min(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A policy of allow rules with these ids, with room for 11 (a mask of four bits).
    fn spec(ids: &[&str]) -> Spec {
        let rules: Vec<String> =
            ids.iter().map(|id| format!("  - {{ id: {id}, domain: {id}.example, proto: ssh }}\n")).collect();
        let text = format!(
            "version: 1\nmarks: {{ mask: \"0xf\" }}\nintercept: {{ gateway: {{ interfaces: [lan0] }} }}\n\
             dns: {{ resolvers: [192.0.2.53] }}\nrules:\n{}",
            if rules.is_empty() { "  []\n".into() } else { rules.concat() }
        );
        crate::policy::load(&text).unwrap().spec
    }

    fn slot(table: &SlotTable, id: &str) -> Option<u16> {
        table.get(&RuleId::new(id)).map(|slot| slot.0)
    }

    #[test]
    fn a_rule_keeps_its_slot_whatever_happens_around_it() {
        let mut table = SlotTable::default();
        table.assign(&spec(&["a", "b", "c"])).unwrap();
        assert_eq!((slot(&table, "a"), slot(&table, "b"), slot(&table, "c")), (Some(0), Some(1), Some(2)));
        table.assign(&spec(&["new", "c", "a"])).unwrap();
        assert_eq!((slot(&table, "a"), slot(&table, "c"), slot(&table, "new")), (Some(0), Some(2), Some(3)));
        assert_eq!(slot(&table, "b"), None);
    }

    #[test]
    fn a_slot_is_given_again_only_when_no_other_is_left_the_longest_gone_first() {
        let mut table = SlotTable::default();
        table.assign(&spec(&["a", "b", "c"])).unwrap();
        table.assign(&spec(&["a", "c"])).unwrap();
        table.assign(&spec(&["c"])).unwrap();
        let names: Vec<String> = (0..10).map(|index| format!("n{index}")).collect();
        let mut ids: Vec<&str> = names.iter().map(String::as_str).collect();
        ids.push("c");
        table.assign(&spec(&ids)).unwrap();
        assert_eq!(slot(&table, "n7"), Some(10));
        assert_eq!(slot(&table, "n8"), Some(1));
        assert_eq!(slot(&table, "n9"), Some(0));
        assert_eq!(slot(&table, "c"), Some(2));
    }

    #[test]
    fn a_slot_that_something_is_alive_of_is_not_given_away() {
        let names: Vec<String> = (0..11).map(|index| format!("n{index}")).collect();
        let mut ids: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut table = SlotTable::default();
        table.assign(&spec(&ids)).unwrap();
        (ids[3], ids[7]) = ("new", "other");
        let alive = HashSet::from([Slot(3)]);
        let waiting = table.assign_but(&spec(&ids), &alive).unwrap();
        assert_eq!((slot(&table, "new"), waiting), (Some(7), vec![RuleId::new("other")]));
        // Once nothing is, it is to be had.
        assert_eq!(table.assign_but(&spec(&ids), &HashSet::new()).unwrap(), []);
        assert_eq!((slot(&table, "new"), slot(&table, "other")), (Some(7), Some(3)));
    }

    #[test]
    fn too_many_rules_change_nothing() {
        let mut table = SlotTable::default();
        table.assign(&spec(&["a", "b"])).unwrap();
        let before = table.clone();
        let mut crowded = spec(&["c"]);
        crowded.rules = vec![crowded.rules[0].clone(); 12];
        assert_eq!(table.assign(&crowded), Err(SlotError { room: 11, rules: 12 }));
        assert_eq!(table, before);
    }

    #[test]
    fn no_two_rules_have_one_slot_even_if_the_saved_table_says_so() {
        let saved = r#"{"slots":{"a":5,"b":5,"c":40000},"freed":[5,7,7,60000]}"#;
        let mut table: SlotTable = serde_json::from_str(saved).unwrap();
        table.assign(&spec(&["a", "b", "c"])).unwrap();
        assert_eq!((slot(&table, "a"), slot(&table, "b"), slot(&table, "c")), (Some(5), Some(0), Some(1)));
        assert_eq!(table.freed, [Slot(7)]);
    }

    /// A slot that is another's since an upgrade: the relay's, or one beyond a smaller mask.
    #[test]
    fn only_a_rule_whose_slot_is_none_any_more_gets_another() {
        let mut table: SlotTable = serde_json::from_str(r#"{"slots":{"a":0,"b":11,"c":10},"freed":[]}"#).unwrap();
        table.assign(&spec(&["a", "b", "c"])).unwrap();
        assert_eq!((slot(&table, "a"), slot(&table, "b"), slot(&table, "c")), (Some(0), Some(1), Some(10)));
    }

    #[test]
    fn deny_rules_need_no_slot() {
        let mut table = SlotTable::default();
        let mut denying = spec(&["a", "b"]);
        denying.rules[0].action = Action::Deny;
        table.assign(&denying).unwrap();
        assert_eq!((slot(&table, "a"), slot(&table, "b")), (None, Some(0)));
    }
}
