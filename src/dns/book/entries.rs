use std::iter::successors;
use std::ops::{Index, IndexMut};

use slab::Slab;

use super::entry::{Entry, Id, NONE, index};

/// All entries, each at its place. Those of a client form a ring, in the order in which they were changed.
pub struct Entries {
    all: Slab<Entry>,
    most: usize,
}

impl Entries {
    /// None yet, and never many more than `most`.
    pub fn new(most: usize) -> Self {
        Self { all: Slab::new(), most }
    }

    /// Finds a place for an entry, which is a ring of its own there.
    pub fn insert(&mut self, entry: Entry) -> Id {
        if self.all.capacity() == 0 {
            // Room that is not used yet is none that the system has given away. Growing would leave holes behind.
            self.all.reserve_exact(self.most.saturating_add(1));
        }
        let place = self.all.insert(entry);
        let id = Id::try_from(place).unwrap_or(Id::MAX);
        let entry = &mut self[id];
        (entry.older, entry.newer) = (id, id);
        id
    }

    /// Removes one that is in no ring with others.
    pub fn remove(&mut self, id: Id) -> Entry {
        self.all.remove(index(id))
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.all.iter().map(|(_, entry)| entry)
    }

    /// Those of one client and address, the newest first. `newest` is that one.
    pub fn group(&self, newest: Id) -> impl Iterator<Item = Id> {
        let addr = self[newest].addr;
        self.ring(newest).take_while(move |&id| self[id].addr == addr)
    }

    /// All of one client's, the newest first.
    pub fn ring(&self, newest: Id) -> impl Iterator<Item = Id> {
        successors(Some(newest), move |&id| Some(self[id].older).filter(|&older| older != newest))
    }

    /// Those of one client and address, the oldest first. `oldest` is that one.
    pub fn together(&self, oldest: Id) -> impl Iterator<Item = Id> {
        let addr = self[oldest].addr;
        let ring = successors(Some(oldest), move |&id| Some(self[id].newer).filter(|&newer| newer != oldest));
        ring.take_while(move |&id| self[id].addr == addr)
    }

    /// Those of one address that others use, the newest first. `newest` is that one.
    pub fn chain(&self, newest: Option<Id>) -> impl Iterator<Item = Id> {
        successors(newest, move |&id| Some(self[id].shared_older).filter(|&older| older != NONE))
    }

    /// Takes what lies between two entries of a ring, both included, out of it: a ring of its own now.
    pub fn cut(&mut self, oldest: Id, newest: Id) {
        let (before, behind) = (self[oldest].older, self[newest].newer);
        self[before].newer = behind;
        self[behind].older = before;
        self[oldest].older = newest;
        self[newest].newer = oldest;
    }

    /// Puts a whole ring, from its oldest one on, behind an entry of another.
    pub fn splice(&mut self, before: Id, oldest: Id) {
        let (newest, behind) = (self[oldest].older, self[before].newer);
        self[before].newer = oldest;
        self[oldest].older = before;
        self[newest].newer = behind;
        self[behind].older = newest;
    }
}

/// Whoever removes an entry has taken it out of every list before.
impl Index<Id> for Entries {
    type Output = Entry;

    #[expect(clippy::indexing_slicing, reason = "an id is of an entry that is there")]
    fn index(&self, id: Id) -> &Entry {
        &self.all[index(id)]
    }
}

impl IndexMut<Id> for Entries {
    #[expect(clippy::indexing_slicing, reason = "an id is of an entry that is there")]
    fn index_mut(&mut self, id: Id) -> &mut Entry {
        &mut self.all[index(id)]
    }
}
