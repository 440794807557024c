use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use crate::model::DomainName;

/// Addresses that are watched.
const ADDRESSES: usize = 16_384;
/// Names of an address that are told apart.
const NAMES: usize = 4;

/// Which names were seen at one address: where there are several, the client may have meant another one than was taken.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    names: HashMap<IpAddr, Vec<DomainName>>,
}

/// What came of noting a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// It is among those of its address.
    Kept,
    /// Its address has many already.
    Crowded,
    /// Nothing is known of its address, which came too late.
    Unwatched,
}

impl Neighbours {
    /// Notes that a name was meant at an address.
    pub fn note(&mut self, name: &DomainName, address: IpAddr) -> Noted {
        if self.names.len() >= ADDRESSES && !self.names.contains_key(&address) {
            return Noted::Unwatched;
        }
        let names = self.names.entry(address).or_default();
        if names.contains(name) {
            return Noted::Kept;
        }
        if names.len() >= NAMES {
            return Noted::Crowded;
        }
        names.push(name.clone());
        Noted::Kept
    }

    /// Each name with the others at its addresses; with none if it was alone at one of them.
    pub fn companions(&self) -> BTreeMap<&DomainName, BTreeSet<&DomainName>> {
        let mut found: BTreeMap<&DomainName, BTreeSet<&DomainName>> = BTreeMap::new();
        for names in self.names.values() {
            for name in names {
                found.entry(name).or_default().extend(names.iter().filter(|other| *other != name));
            }
        }
        for names in self.names.values() {
            if let [alone] = names.as_slice() {
                found.insert(alone, BTreeSet::new());
            }
        }
        found
    }

    /// The first name that was seen at an address.
    pub fn first(&self, address: IpAddr) -> Option<&DomainName> {
        self.names.get(&address)?.first()
    }
}
