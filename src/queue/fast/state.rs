use std::io;

use crate::dns::Pair;
use crate::fast::{CAPACITY, FastMap, Key, SHARE, Table};
use crate::model::Moment;
use crate::policy::Policy;

use super::FastFigures;

/// The kernel's map and what it was told, under one lock.
pub struct State {
    pub map: Option<Box<dyn FastMap>>,
    pub table: Table,
    /// Whether the policy wants it.
    is_wanted: bool,
    /// Who keeps it empty.
    pauses: u32,
    /// Why the map cannot be used.
    trouble: Option<String>,
}

impl Default for State {
    /// One without a map.
    fn default() -> Self {
        Self { map: None, table: Table::new(CAPACITY, SHARE), is_wanted: false, pauses: 0, trouble: None }
    }
}

impl State {
    /// Whether elements may be put in.
    pub fn is_open(&self) -> bool {
        self.is_wanted && self.pauses == 0 && self.trouble.is_none() && self.map.is_some()
    }

    /// Whether somebody has to [`tend`](Self::tend) it.
    pub fn needs_care(&self) -> bool {
        !self.table.is_empty() || self.trouble.is_some()
    }

    pub fn figures(&self) -> FastFigures {
        let (elements, trouble) = (self.table.len(), self.trouble.clone());
        FastFigures { is_wanted: self.is_wanted, elements, trouble }
    }

    /// It is used as this policy says, from now on.
    pub fn follow(&mut self, policy: &Policy) {
        self.is_wanted = policy.spec().has_fast_path();
    }

    /// Empties it, and keeps it so until as many calls of [`resume`](Self::resume) have come.
    pub fn pause(&mut self) {
        self.pauses = self.pauses.saturating_add(1);
        if !self.table.is_empty() {
            self.empty();
        }
    }

    pub fn resume(&mut self) {
        self.pauses = self.pauses.saturating_sub(1);
    }

    /// Takes out what these pairs have.
    pub fn withdraw(&mut self, pairs: &[Pair]) {
        let keys: Vec<Key> = pairs.iter().flat_map(|(client, dst)| self.table.take(client.0, *dst)).collect();
        if keys.is_empty() {
            return;
        }
        let removed = self.map.as_mut().map_or(Ok(()), |map| map.remove(&keys));
        if let Err(error) = removed {
            self.failed("take elements out", &error);
        }
    }

    /// Renews the lease where there is anything that needs it, and tries to mend what does not work.
    pub fn tend(&mut self, now: Moment) {
        self.table.expire(now);
        if self.trouble.is_some() {
            self.mend();
        } else if !self.table.is_empty() {
            let renewed = self.map.as_mut().map_or(Ok(()), |map| map.put(&[], now));
            if let Err(error) = renewed {
                self.failed("renew the lease", &error);
            }
        }
    }

    /// Something did not work: what the map holds is unknown, so it is emptied.
    pub fn failed(&mut self, what: &str, error: &io::Error) {
        let trouble = format!("the kernel did not {what}: {error}");
        self.empty();
        self.trouble.get_or_insert(trouble);
    }

    /// On return nothing in the map counts.
    fn empty(&mut self) {
        self.table.clear();
        let Some(map) = &mut self.map else { return };
        if let Err(error) = map.clear() {
            map.lapse();
            self.trouble = Some(format!("the kernel did not empty the map: {error}"));
        }
    }

    fn mend(&mut self) {
        if self.map.as_mut().is_some_and(|map| map.clear().is_ok()) {
            self.trouble = None;
        }
    }
}
