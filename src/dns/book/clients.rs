use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::hash::RandomState;

use lru::LruCache;
use slab::Slab;

use crate::model::ClientId;

use super::entry::{Id, NONE, index};

/// Who has entries, how many, and since when each has been idle.
pub struct Clients {
    /// The one that was idle longest is the least recent one.
    ids: LruCache<ClientId, Id, RandomState>,
    all: Slab<Client>,
    /// By what they have: the last one has most, and of those with the most it has been idle longest.
    loads: BTreeSet<(u32, Reverse<u64>, Id)>,
    changes: u64,
}

pub struct Client {
    pub who: ClientId,
    /// Its newest entry.
    pub newest: Id,
    /// How many entries it has.
    pub weight: u32,
    /// Whether it is counted how many of them each name has.
    pub is_spread: bool,
    changed: u64,
}

impl Clients {
    pub fn new() -> Self {
        Self {
            ids: LruCache::unbounded_with_hasher(RandomState::new()),
            all: Slab::new(),
            loads: BTreeSet::new(),
            changes: 0,
        }
    }

    pub fn get(&self, id: Id) -> Option<&Client> {
        self.all.get(index(id))
    }

    pub fn get_mut(&mut self, id: Id) -> Option<&mut Client> {
        self.all.get_mut(index(id))
    }

    /// Whose entries these are.
    pub fn who(&self, id: Id) -> ClientId {
        self.get(id).map_or(ClientId::HOST, |client| client.who)
    }

    /// A client that is going to have something.
    pub fn enter(&mut self, who: ClientId) -> Id {
        let all = &mut self.all;
        *self.ids.get_or_insert_mut(who, || {
            let client = Client { who, newest: NONE, weight: 0, is_spread: false, changed: 0 };
            Id::try_from(all.insert(client)).unwrap_or(NONE)
        })
    }

    /// It has that many more, and is the one that was changed last.
    pub fn gain(&mut self, id: Id, more: u32) {
        self.changes += 1;
        let changed = self.changes;
        self.reload(id, |client| (client.weight, client.changed) = (client.weight + more, changed));
    }

    /// It has one less. One that has none any more is forgotten.
    pub fn lose(&mut self, id: Id) {
        self.reload(id, |client| client.weight = client.weight.saturating_sub(1));
    }

    fn reload(&mut self, id: Id, change: impl FnOnce(&mut Client)) {
        let Some(client) = self.all.get_mut(index(id)) else { return };
        self.loads.remove(&(client.weight, Reverse(client.changed), id));
        change(client);
        if client.weight == 0 {
            self.ids.pop(&client.who);
            self.all.remove(index(id));
        } else {
            self.loads.insert((client.weight, Reverse(client.changed), id));
        }
    }

    /// The one that has most.
    pub fn heaviest(&self) -> Option<Id> {
        self.loads.last().map(|&(_, _, id)| id)
    }

    /// All of them, the one that has been idle longest first.
    pub fn idle(&self) -> impl Iterator<Item = Id> {
        self.ids.iter().rev().map(|(_, &id)| id)
    }
}
