use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::hash::{Hash, RandomState};

use lru::LruCache;

use crate::model::Moment;

/// What a [`FairStore`] must know of its entries.
pub(super) trait Entry: Default {
    /// How much room it takes.
    fn weight(&self) -> usize;
    /// Whether it has served its time: such an entry goes before any other when room is needed.
    fn is_stale(&self, now: Moment) -> bool;
}

/// A bounded store that many owners share without pushing each other out.
///
/// An owner that is over its share loses its own least recent entry. When everything is full, it is a stale entry of one of
/// the owners that have been idle longest that goes, else the least recent entry of the owner that has most. So a noisy owner
/// displaces itself. Changing an entry costs the logarithm of the number of owners, looking one up nothing but hashing.
pub(super) struct FairStore<O, K, V> {
    /// The owner that was idle longest is the least recent one.
    shelves: LruCache<O, Shelf<K, V>, RandomState>,
    /// The owners by what they have: the last one has most, and of those with the most it has been idle longest.
    loads: BTreeSet<Load<O>>,
    bounds: Bounds,
    weight: usize,
    changes: u64,
}

/// How much may be stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Weight of all entries together.
    pub capacity: usize,
    /// Weight of one owner's entries. One entry always fits.
    pub share: usize,
}

/// Owners that are asked for a stale entry before one goes that is not.
const ASKED: usize = 32;

type Load<O> = (usize, Reverse<u64>, O);

struct Shelf<K, V> {
    entries: LruCache<K, V, RandomState>,
    weight: usize,
    changed: u64,
}

impl<O: Hash + Ord + Copy, K: Hash + Eq, V: Entry> FairStore<O, K, V> {
    pub fn new(bounds: Bounds) -> Self {
        Self {
            shelves: LruCache::unbounded_with_hasher(RandomState::new()),
            loads: BTreeSet::new(),
            bounds,
            weight: 0,
            changes: 0,
        }
    }

    /// The weight of all entries.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// An entry as it is. Allocates nothing.
    pub fn peek(&self, owner: &O, key: &K) -> Option<&V> {
        self.shelves.peek(owner)?.entries.peek(key)
    }

    /// Every entry with its owner, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&O, &K, &V)> {
        self.shelves.iter().flat_map(|(owner, shelf)| shelf.entries.iter().map(move |(key, value)| (owner, key, value)))
    }

    /// Changes an entry, an empty one if there was none, and makes it its owner's most recent one. Returns what the change
    /// returns, and what had to go for it.
    pub fn change<R>(&mut self, owner: O, key: K, now: Moment, change: impl FnOnce(&mut V) -> R) -> (R, Vec<V>) {
        self.changes += 1;
        let changed = self.changes;
        let shelf = self.shelves.get_or_insert_mut(owner, Shelf::empty);
        self.loads.remove(&shelf.load(owner));
        let value = shelf.entries.get_or_insert_mut(key, V::default);
        let before = value.weight();
        let result = change(value);
        let after = value.weight();
        shelf.weight = shelf.weight - before + after;
        shelf.changed = changed;
        self.weight = self.weight - before + after;
        self.loads.insert(shelf.load(owner));
        (result, self.make_room(owner, now))
    }

    /// Takes an entry out.
    pub fn remove(&mut self, owner: O, key: &K) -> Option<V> {
        self.take_out(owner, |entries| entries.pop_entry(key)).map(|(_, value)| value)
    }

    fn make_room(&mut self, owner: O, now: Moment) -> Vec<V> {
        let mut evicted = Vec::new();
        while self.is_over_share(owner) {
            evicted.extend(self.evict_from(owner));
        }
        while self.weight > self.bounds.capacity {
            let Some(loser) = self.idle_and_stale(now).or_else(|| self.heaviest()) else { break };
            evicted.extend(self.evict_from(loser));
        }
        evicted
    }

    fn is_over_share(&self, owner: O) -> bool {
        self.shelves.peek(&owner).is_some_and(|shelf| shelf.weight > self.bounds.share && shelf.entries.len() > 1)
    }

    /// Of the owners that have been idle longest the first one with a stale entry where it would be taken.
    fn idle_and_stale(&self, now: Moment) -> Option<O> {
        let has_stale = |shelf: &Shelf<K, V>| shelf.entries.peek_lru().is_some_and(|(_, oldest)| oldest.is_stale(now));
        let mut idle = self.shelves.iter().rev().take(ASKED);
        idle.find(|(_, shelf)| has_stale(shelf)).map(|(owner, _)| *owner)
    }

    fn heaviest(&self) -> Option<O> {
        self.loads.last().map(|(_, _, owner)| *owner)
    }

    fn evict_from(&mut self, owner: O) -> Option<V> {
        self.take_out(owner, LruCache::pop_lru).map(|(_, value)| value)
    }

    /// Takes one entry off a shelf and keeps the accounts; a shelf that is empty goes.
    fn take_out(
        &mut self,
        owner: O,
        take: impl FnOnce(&mut LruCache<K, V, RandomState>) -> Option<(K, V)>,
    ) -> Option<(K, V)> {
        let shelf = self.shelves.peek_mut(&owner)?;
        let load = shelf.load(owner);
        let (key, value) = take(&mut shelf.entries)?;
        self.loads.remove(&load);
        shelf.weight -= value.weight();
        self.weight -= value.weight();
        if shelf.entries.is_empty() {
            self.shelves.pop(&owner);
        } else {
            self.loads.insert(shelf.load(owner));
        }
        Some((key, value))
    }
}

impl<K: Hash + Eq, V> Shelf<K, V> {
    /// It grows as needed: most owners have little.
    fn empty() -> Self {
        Self { entries: LruCache::unbounded_with_hasher(RandomState::new()), weight: 0, changed: 0 }
    }

    fn load<O>(&self, owner: O) -> Load<O> {
        (self.weight, Reverse(self.changed), owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weighs what it holds and is stale 100 seconds after it was put there. It knows its owner and key.
    #[derive(Default)]
    struct Stone(usize, Moment, (u8, u32));

    impl Entry for Stone {
        fn weight(&self) -> usize {
            self.0
        }

        fn is_stale(&self, now: Moment) -> bool {
            now.since(self.1).as_secs() >= 100
        }
    }

    fn store(capacity: usize, share: usize) -> FairStore<u8, u32, Stone> {
        FairStore::new(Bounds { capacity, share })
    }

    fn put(store: &mut FairStore<u8, u32, Stone>, owner: u8, key: u32, second: u64) -> Vec<(u8, u32)> {
        let now = Moment::from_secs(second);
        let ((), evicted) = store.change(owner, key, now, |stone| *stone = Stone(1, now, (owner, key)));
        evicted.into_iter().map(|gone| gone.2).collect()
    }

    #[test]
    fn an_owner_over_its_share_loses_its_own_least_recent_entry() {
        let mut store = store(100, 2);
        put(&mut store, 1, 10, 0);
        put(&mut store, 2, 20, 0);
        put(&mut store, 1, 11, 0);
        put(&mut store, 1, 10, 0);
        assert_eq!(put(&mut store, 1, 12, 0), [(1, 11)]);
        assert!(store.peek(&2, &20).is_some() && store.peek(&1, &10).is_some());
    }

    #[test]
    fn a_full_store_takes_from_the_owner_that_has_most() {
        let mut store = store(4, 4);
        put(&mut store, 2, 20, 0);
        for key in 10..13 {
            put(&mut store, 1, key, 0);
        }
        assert_eq!(put(&mut store, 3, 30, 0), [(1, 10)]);
        assert_eq!(put(&mut store, 1, 13, 0), [(1, 11)]);
        assert_eq!(store.weight(), 4);
    }

    #[test]
    fn of_equal_owners_the_idle_one_loses() {
        let mut store = store(3, 3);
        for owner in [2, 3, 1] {
            put(&mut store, owner, 0, 0);
        }
        assert_eq!(put(&mut store, 4, 0, 0), [(2, 0)]);
        assert_eq!(put(&mut store, 5, 0, 0), [(3, 0)]);
    }

    #[test]
    fn what_is_stale_goes_before_what_is_not() {
        let mut store = store(4, 4);
        put(&mut store, 2, 20, 0);
        for key in 10..13 {
            put(&mut store, 1, key, 0);
        }
        assert_eq!(put(&mut store, 1, 13, 100), [(2, 20)]);
    }

    #[test]
    fn what_is_stale_goes_first_whosever_it_is() {
        let mut store = store(4, 4);
        put(&mut store, 1, 10, 50);
        put(&mut store, 2, 20, 0);
        put(&mut store, 2, 21, 60);
        put(&mut store, 3, 30, 60);
        // Nobody has more than the second, and the first has been idle longest; but the second has a stale one.
        assert_eq!(put(&mut store, 3, 31, 110), [(2, 20)]);
    }

    #[test]
    fn the_accounts_stay_right() {
        let mut store = store(50, 20);
        for step in 0..5_000_u32 {
            let owner = u8::try_from(step * 7 % 9).unwrap();
            let weight = usize::try_from(step % 4 + 1).unwrap();
            store.change(owner, step * 31 % 60, Moment::ZERO, |stone| stone.0 = weight);
            if step % 3 == 0 {
                store.remove(owner, &(step * 17 % 60));
            }
            assert_eq!(store.weight(), store.iter().map(|(_, _, stone)| stone.0).sum::<usize>());
            assert_eq!(store.loads.len(), store.shelves.len());
            assert!(store.weight() <= 50);
        }
    }
}
