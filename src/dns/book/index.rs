use hashbrown::HashTable;

use super::entry::Id;

/// Entries by what they are looked up by, which is kept in them only.
#[derive(Default)]
pub struct Index(HashTable<Id>);

impl Index {
    /// The one with this hash that is the one. Allocates nothing.
    pub fn find(&self, hash: u64, is: impl Fn(Id) -> bool) -> Option<Id> {
        self.0.find(hash, |&id| is(id)).copied()
    }

    /// From now on it is `after` that is found where `before` was; `rehash` tells the hash of those that are there.
    pub fn replace(&mut self, hash: u64, before: Option<Id>, after: Option<Id>, rehash: impl Fn(Id) -> u64) {
        match (before, after) {
            (Some(before), after) if after != Some(before) => {
                let Ok(mut found) = self.0.find_entry(hash, |&id| id == before) else { return };
                match after {
                    Some(after) => *found.get_mut() = after,
                    None => drop(found.remove()),
                }
            }
            (None, Some(after)) => drop(self.0.insert_unique(hash, after, |&id| rehash(id))),
            (_, _) => {}
        }
    }
}
