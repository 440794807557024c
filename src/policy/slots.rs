use std::collections::{BTreeMap, BTreeSet};

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
        let wanted: Vec<&RuleId> =
            spec.rules.iter().filter(|rule| rule.action == Action::Allow).map(|rule| &rule.id).collect();
        let room = room(spec);
        if wanted.len() > usize::try_from(room).unwrap_or(usize::MAX) {
            return Err(SlotError { room, rules: wanted.len() });
        }
        let mut next = self.clone();
        next.release_all_but(&wanted, room);
        for id in wanted {
            next.give(id, room);
        }
        *self = next;
        Ok(())
    }

    /// The slot of a rule.
    #[must_use]
    pub fn get(&self, id: &RuleId) -> Option<Slot> {
        self.slots.get(id).copied()
    }

    fn release_all_but(&mut self, wanted: &[&RuleId], room: u32) {
        let wanted: BTreeSet<&RuleId> = wanted.iter().copied().collect();
        let mut gone = Vec::new();
        self.slots.retain(|id, slot| {
            let keep = wanted.contains(id) && u32::from(slot.0) < room;
            if !keep {
                gone.push(*slot);
            }
            keep
        });
        gone.sort_unstable();
        self.freed.extend(gone);
        let taken: BTreeSet<Slot> = self.slots.values().copied().collect();
        let mut seen = BTreeSet::new();
        self.freed.retain(|slot| u32::from(slot.0) < room && !taken.contains(slot) && seen.insert(*slot));
    }

    fn give(&mut self, id: &RuleId, room: u32) {
        if self.slots.contains_key(id) {
            return;
        }
        let used: BTreeSet<Slot> = self.slots.values().chain(&self.freed).copied().collect();
        let fresh = (0..u16::try_from(room).unwrap_or(u16::MAX)).map(Slot).find(|slot| !used.contains(slot));
        let slot = match fresh {
            Some(slot) => slot,
            None if self.freed.is_empty() => return,
            None => self.freed.remove(0),
        };
        self.slots.insert(id.clone(), slot);
    }
}

/// How many slots there are: as many as marks, and as ports from the first one on.
#[must_use]
pub fn room(spec: &Spec) -> u32 {
    let ports = u32::from(u16::MAX - spec.envoy.first_port) + 1;
    spec.marks.slots().min(ports)
}
