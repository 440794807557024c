mod clients;
mod counting;
mod entries;
mod entry;
mod eviction;
mod index;
mod names;
mod order;
mod sharing;
mod spread;

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use crate::model::{ClientId, DomainName, Moment, address_bits};

use super::forgotten::Forgotten;
use super::limits::Room;
use super::loans::Pair;
use super::record::Record;
use clients::Clients;
use entries::Entries;
use entry::{Entry, Id};
use index::Index;
pub(super) use names::{Names, Sight};
use spread::Spread;

/// Observations that share one bound.
///
/// Each client has a share, and each name of a client half of that: a name with thousands of addresses displaces its own
/// oldest one. A client that is over its share loses its own least recent address. When everything is full, it is an expired
/// one of the clients that have been idle longest that goes, else the least recent one of the client that has most. So a
/// noisy client displaces itself.
///
/// An observation is kept once, whoever uses it. Looking one up is hashing, changing one costs the logarithm of the number
/// of clients beside that.
pub(super) struct Book {
    room: Room,
    entries: Entries,
    clients: Clients,
    /// What each client was told itself: the newest entry of each client and address.
    own: Index,
    /// What anybody was told, of each name the newest: the newest of these of each address.
    shared: Index,
    hasher: RandomState,
    spread: Spread,
    forgotten: Forgotten,
    /// Where something had to go since this was looked at last.
    gone: Vec<Pair>,
}

/// A client and an address, ready to be looked up in several books.
#[derive(Clone, Copy)]
pub(super) struct Sought {
    pub client: ClientId,
    pub addr: IpAddr,
    hash: u64,
}

impl Sought {
    pub fn new(hasher: &RandomState, client: ClientId, addr: IpAddr) -> Self {
        Self { client, addr, hash: own_hash(hasher, client, addr) }
    }
}

impl Book {
    /// Books with the same hasher can be asked for the same [`Sought`].
    pub fn new(room: Room, hasher: RandomState) -> Self {
        Self {
            room,
            entries: Entries::new(room.capacity),
            clients: Clients::new(),
            own: Index::default(),
            shared: Index::default(),
            hasher,
            spread: Spread::default(),
            forgotten: Forgotten::default(),
            gone: Vec::new(),
        }
    }

    /// A client's own observations of an address.
    pub fn own(&self, sought: Sought) -> Names<'_> {
        Names { book: self, newest: self.newest(sought), is_shared: false }
    }

    /// Anybody's observations of an address.
    pub fn shared(&self, addr: IpAddr) -> Names<'_> {
        Names { book: self, newest: self.newest_shared(addr), is_shared: true }
    }

    /// No observation.
    pub fn nothing(&self) -> Names<'_> {
        Names { book: self, newest: None, is_shared: true }
    }

    /// Whether a client may have been told something that would still count, if there had been room for it.
    pub fn has_forgotten(&self, client: ClientId, now: Moment) -> bool {
        self.forgotten.concerns(client, now)
    }

    /// Every observation, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = Record> {
        self.entries.iter().map(|entry| entry.record(self.clients.who(entry.client)))
    }

    /// How many there are, expired ones included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes in an observation, and lets go of what there is no room for.
    pub fn put(&mut self, record: &Record, now: Moment) {
        let sought = Sought::new(&self.hasher, record.client, record.addr);
        let (learned, expires) = (record.learned, record.expires);
        let before = self.shared_by_name(record.addr, &record.name);
        // What is the same text need not be kept twice.
        let name = before.map_or_else(|| record.name.clone(), |id| self.entries[id].name.clone());
        let promised = before.map_or(expires, |id| self.entries[id].shared_expires().max(expires));
        let is_news = before.is_none_or(|id| self.entries[id].learned <= learned);
        if let Some(id) = before {
            if is_news {
                self.unshare(id);
            } else {
                self.entries[id].set_shared_expires(promised);
            }
        }
        let client = self.clients.enter(record.client);
        let id = self.put_own(sought, client, record, name);
        if is_news {
            self.share(id, promised, now);
        }
        self.make_room(client, id, now);
    }

    /// Takes out an observation that belongs elsewhere by now.
    pub fn take_out(&mut self, record: &Record) {
        if let Some(id) = self.own_by_name(record.client, record.addr, &record.name) {
            self.remove(id);
        }
    }

    /// Says how many flows of a client hold its observation, if it still has that one.
    pub fn set_flows(&mut self, client: ClientId, addr: IpAddr, name: &DomainName, flows: u32) {
        if let Some(id) = self.own_by_name(client, addr, name) {
            self.entries[id].flows = flows;
        }
    }

    /// Where something had to go since this was asked last.
    pub fn take_gone(&mut self) -> Vec<Pair> {
        std::mem::take(&mut self.gone)
    }

    /// What an entry is looked up by.
    fn sought(&self, id: Id) -> Sought {
        let entry = &self.entries[id];
        Sought::new(&self.hasher, self.clients.who(entry.client), entry.addr)
    }

    fn newest(&self, Sought { client, addr, hash }: Sought) -> Option<Id> {
        self.own.find(hash, |id| {
            let entry = &self.entries[id];
            entry.addr == addr && self.clients.who(entry.client) == client
        })
    }

    fn own_by_name(&self, client: ClientId, addr: IpAddr, name: &DomainName) -> Option<Id> {
        let newest = self.newest(Sought::new(&self.hasher, client, addr))?;
        self.entries.group(newest).find(|&id| self.entries[id].name == *name)
    }

    /// Makes a client's observation its most recent one, with all others of that address, which stay in their order.
    fn put_own(&mut self, sought: Sought, client: Id, record: &Record, name: DomainName) -> Id {
        let found = self.newest(sought);
        let known = found.and_then(|newest| self.entries.group(newest).find(|&id| self.entries[id].name == name));
        let others = match known {
            Some(id) if found == Some(id) => self.entries.group(id).nth(1),
            Some(_) | None => found,
        };
        let id = if let Some(id) = known {
            self.uncount(client, id);
            self.leave(client, id);
            self.entries[id].renew(record);
            id
        } else {
            self.entries.insert(Entry::new(record, name, client))
        };
        let newest = match others {
            Some(newest) => self.join(client, newest, id),
            None => self.append(client, id, id),
        };
        let (entries, clients, hasher) = (&self.entries, &self.clients, &self.hasher);
        self.own.replace(sought.hash, found, Some(newest), |id| {
            own_hash(hasher, clients.who(entries[id].client), entries[id].addr)
        });
        self.clients.gain(client, u32::from(known.is_none()));
        self.count(client, id);
        id
    }
}

fn own_hash(hasher: &RandomState, ClientId(client): ClientId, addr: IpAddr) -> u64 {
    hasher.hash_one((address_bits(client), address_bits(addr)))
}
