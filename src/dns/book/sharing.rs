use std::collections::HashMap;
use std::hash::BuildHasher;
use std::net::IpAddr;

use crate::model::{DomainName, Moment, address_bits};

use super::Book;
use super::entry::{Id, NONE};

/// What clients use that were not told themselves: of each address each name once, as it was learned last.
impl Book {
    pub(super) fn newest_shared(&self, addr: IpAddr) -> Option<Id> {
        self.shared.find(self.hasher.hash_one(address_bits(addr)), |id| self.entries[id].addr == addr)
    }

    pub(super) fn shared_by_name(&self, addr: IpAddr, name: &DomainName) -> Option<Id> {
        self.entries.chain(self.newest_shared(addr)).find(|&id| self.entries[id].name == *name)
    }

    /// Lets others use an entry until then. If its address has too many names now, one of them goes.
    pub(super) fn share(&mut self, id: Id, expires: Moment, now: Moment) {
        self.entries[id].set_shared_expires(expires);
        let (addr, learned) = (self.entries[id].addr, self.entries[id].learned);
        let newest = self.newest_shared(addr);
        let newer = self.entries.chain(newest).take_while(|&other| self.entries[other].learned > learned).last();
        let older = newer.map_or(newest.unwrap_or(NONE), |newer| self.entries[newer].shared_older);
        (self.entries[id].shared_older, self.entries[id].is_shared) = (older, true);
        match newer {
            Some(newer) => self.entries[newer].shared_older = id,
            None => self.found_first(addr, newest, Some(id)),
        }
        let all: Option<Vec<Id>> = {
            let all = || self.entries.chain(self.newest_shared(addr));
            (all().count() > self.room.per_address.max(1)).then(|| all().collect())
        };
        if let Some(displaced) = all.and_then(|all| self.least_wanted(&all, now)) {
            self.unshare(displaced);
        }
    }

    /// Lets nobody else use an entry any more.
    pub(super) fn unshare(&mut self, id: Id) {
        let (addr, older) = (self.entries[id].addr, self.entries[id].shared_older);
        let newest = self.newest_shared(addr);
        let newer = self.entries.chain(newest).find(|&newer| self.entries[newer].shared_older == id);
        match newer {
            Some(newer) => self.entries[newer].shared_older = older,
            None => self.found_first(addr, newest, Some(older).filter(|&older| older != NONE)),
        }
        (self.entries[id].shared_older, self.entries[id].is_shared) = (NONE, false);
    }

    fn found_first(&mut self, addr: IpAddr, before: Option<Id>, after: Option<Id>) {
        let (entries, hasher) = (&self.entries, &self.hasher);
        let hash = |addr| hasher.hash_one(address_bits(addr));
        self.shared.replace(hash(addr), before, after, |id| hash(entries[id].addr));
    }

    /// One that is expired, else the oldest one of the client that has most of them: a noisy one displaces itself.
    fn least_wanted(&self, newest_first: &[Id], now: Moment) -> Option<Id> {
        let expired = |id: &Id| now >= self.entries[*id].shared_expires();
        if let Some(&expired) = newest_first.iter().rev().find(|id| expired(id)) {
            return Some(expired);
        }
        let mut counts: HashMap<Id, usize> = HashMap::new();
        for &id in newest_first {
            *counts.entry(self.entries[id].client).or_default() += 1;
        }
        let most = counts.values().copied().max();
        newest_first.iter().rev().find(|&&id| counts.get(&self.entries[id].client).copied() == most).copied()
    }
}
