use std::collections::HashMap;

use crate::model::{ClientId, DomainName, Moment};

use super::fair::Entry;
use super::record::Record;

/// The names of one address, each once, the newest last.
#[derive(Default)]
pub(super) struct Names(Vec<Record>);

/// What became of the names of an address when one was added.
pub(super) struct Change {
    /// When the same name had been learned before.
    pub replaced: Option<Moment>,
    /// As of when it is known now.
    pub learned: Moment,
    /// What had to go.
    pub displaced: Option<Record>,
}

impl Names {
    /// Adds a name or renews it: a shorter TTL takes back nothing of what was promised before. Over `limit` names, one
    /// that is expired goes, else the oldest one of the client that has most of them: in a list that clients share, a
    /// noisy one displaces itself.
    pub fn put(&mut self, record: Record, limit: usize, now: Moment) -> Change {
        let before = self.take(&record.name);
        let replaced = before.as_ref().map(|known| known.learned);
        let record = match before {
            Some(known) => renewed(known, record),
            None => record,
        };
        let learned = record.learned;
        // Most addresses have one name: a place for it, not for the four that a list begins with.
        self.0.reserve_exact(1);
        let place = self.0.partition_point(|known| known.learned <= record.learned);
        self.0.insert(place, record);
        let displaced = (self.0.len() > limit.max(1)).then(|| self.0.remove(self.least_wanted(now)));
        Change { replaced, learned, displaced }
    }

    /// Says how many flows hold a name.
    pub fn set_flows(&mut self, name: &DomainName, flows: u32) {
        if let Some(record) = self.0.iter_mut().find(|record| record.name == *name) {
            record.flows = flows;
        }
    }

    /// Takes a name out.
    pub fn take(&mut self, name: &DomainName) -> Option<Record> {
        let index = self.0.iter().position(|known| known.name == *name)?;
        Some(self.0.remove(index))
    }

    /// Removes what one client taught.
    pub fn forget(&mut self, client: ClientId) {
        self.0.retain(|record| record.client != client);
    }

    /// Removes one name that one client taught.
    pub fn forget_name(&mut self, client: ClientId, name: &DomainName) {
        self.0.retain(|record| record.client != client || record.name != *name);
    }

    /// The oldest first.
    pub fn as_slice(&self) -> &[Record] {
        &self.0
    }

    fn least_wanted(&self, now: Moment) -> usize {
        if let Some(expired) = self.0.iter().position(|record| !record.is_live(now)) {
            return expired;
        }
        let mut counts: HashMap<ClientId, usize> = HashMap::new();
        for record in &self.0 {
            *counts.entry(record.client).or_default() += 1;
        }
        let most = counts.values().copied().max().unwrap_or(0);
        self.0.iter().position(|record| counts.get(&record.client) == Some(&most)).unwrap_or(0)
    }
}

/// The newer of two observations of one name; it lives as long as either.
fn renewed(known: Record, record: Record) -> Record {
    let expires = known.expires.max(record.expires);
    let flows = known.flows.max(record.flows);
    let newer = if known.learned > record.learned { known } else { record };
    Record { expires, flows, ..newer }
}

impl Entry for Names {
    fn weight(&self) -> usize {
        self.0.len()
    }

    fn is_stale(&self, now: Moment) -> bool {
        self.0.iter().all(|record| !record.is_live(now))
    }
}
