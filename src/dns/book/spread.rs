use std::collections::{BTreeSet, HashMap, hash_map};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use crate::model::{ClientId, DomainName, Moment};

use super::entry::Entry;

/// At how many addresses each client knows each name, and at which it has known it longest. It costs the logarithm of
/// all of them to keep.
///
/// A client and a name are told by a hash with secret keys: two that are taken for one share what each would have alone.
#[derive(Default)]
pub struct Spread {
    counts: HashMap<u64, u32>,
    /// By age.
    addresses: BTreeSet<(u64, Moment, IpAddr)>,
    hasher: RandomState,
}

impl Spread {
    /// A client knows a name at one more address.
    pub fn add(&mut self, client: ClientId, Entry { name, addr, learned, .. }: &Entry) {
        let key = self.key(client, name);
        if self.addresses.insert((key, *learned, *addr)) {
            *self.counts.entry(key).or_default() += 1;
        }
    }

    /// A client does not know a name at an address any more.
    pub fn remove(&mut self, client: ClientId, Entry { name, addr, learned, .. }: &Entry) {
        let key = self.key(client, name);
        if !self.addresses.remove(&(key, *learned, *addr)) {
            return;
        }
        if let hash_map::Entry::Occupied(mut count) = self.counts.entry(key) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    /// The address that a client has known a name at for longest, if there are more of them than `limit`.
    pub fn oldest_over(&self, limit: usize, client: ClientId, name: &DomainName) -> Option<IpAddr> {
        let key = self.key(client, name);
        let count = self.counts.get(&key).copied().unwrap_or(0);
        if usize::try_from(count).is_ok_and(|count| count <= limit) {
            return None;
        }
        let first = (key, Moment::ZERO, IpAddr::from([0, 0, 0, 0]));
        self.addresses.range(first..).next().filter(|(of, ..)| *of == key).map(|(_, _, addr)| *addr)
    }

    fn key(&self, client: ClientId, name: &DomainName) -> u64 {
        self.hasher.hash_one((client, name))
    }
}
