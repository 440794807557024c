use std::collections::HashMap;
use std::net::IpAddr;

use crate::model::{ClientId, DomainName, Moment};

use super::fair::{Bounds, FairStore};
use super::forgotten::Forgotten;
use super::limits::Room;
use super::loans::Pair;
use super::names::Names;
use super::record::Record;
use super::spread::Spread;

/// Observations that share one bound.
///
/// Each client has a share, and each name of a client half of that: a name with thousands of addresses displaces its own
/// oldest one.
pub(super) struct Book {
    room: Room,
    /// What each client was told itself.
    own: FairStore<ClientId, IpAddr, Names>,
    /// What anybody was told: of each name the newest observation. Every client in here has that address in `own` too,
    /// which bounds it.
    shared: HashMap<IpAddr, Names>,
    spread: Spread,
    forgotten: Forgotten,
    /// Where something had to go since this was looked at last.
    gone: Vec<Pair>,
}

impl Book {
    pub fn new(room: Room) -> Self {
        let bounds = Bounds { capacity: room.capacity, share: room.per_client };
        Self {
            room,
            own: FairStore::new(bounds),
            shared: HashMap::new(),
            spread: Spread::default(),
            forgotten: Forgotten::default(),
            gone: Vec::new(),
        }
    }

    /// A client's own observations of an address, the newest last.
    pub fn own(&self, client: ClientId, addr: IpAddr) -> &[Record] {
        self.own.peek(&client, &addr).map_or(&[], Names::as_slice)
    }

    /// Anybody's observations of an address, the newest last.
    pub fn shared(&self, addr: IpAddr) -> &[Record] {
        self.shared.get(&addr).map_or(&[], Names::as_slice)
    }

    /// Whether a client may have been told something that would still count, if there had been room for it.
    pub fn has_forgotten(&self, client: ClientId, now: Moment) -> bool {
        self.forgotten.concerns(client, now)
    }

    /// Every observation with its client, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        self.own.iter().flat_map(|(_, _, names)| names.as_slice())
    }

    /// How many there are, expired ones included.
    pub fn len(&self) -> usize {
        self.own.weight()
    }

    /// Takes in an observation, and lets go of what there is no room for.
    pub fn put(&mut self, record: Record, now: Moment) {
        let (addr, client, name, limit) = (record.addr, record.client, record.name.clone(), self.room.per_address);
        // What a flow holds counts for its client alone.
        self.shared.entry(addr).or_default().put(Record { flows: 0, ..record.clone() }, limit, now);
        let (change, evicted) = self.own.change(client, addr, now, |names| names.put(record, limit, now));
        if let Some(before) = change.replaced {
            self.spread.remove(client, &name, addr, before);
        }
        self.spread.add(client, &name, addr, change.learned);
        if let Some(displaced) = change.displaced {
            self.forget(&displaced);
        }
        for gone in evicted {
            gone.value.as_slice().iter().for_each(|record| self.forget(record));
            self.unshare(gone.key, |names| names.forget(gone.owner));
        }
        if let Some(oldest) = self.spread.oldest_over(self.room.per_name(), client, &name) {
            self.let_go(client, oldest, &name);
        }
    }

    /// Takes out an observation that belongs elsewhere by now.
    pub fn take_out(&mut self, record: &Record) {
        let Record { client, addr, name, .. } = record;
        if let Some(gone) = self.own.amend(*client, addr, |names| names.take(name)).flatten() {
            self.spread.forget(&gone);
        }
        self.unshare(*addr, |names| names.forget_name(*client, name));
    }

    /// Says how many flows of a client hold its observation, if it still has that one.
    pub fn set_flows(&mut self, client: ClientId, addr: IpAddr, name: &DomainName, flows: u32) {
        self.own.amend(client, &addr, |names| names.set_flows(name, flows));
    }

    /// Where something had to go since this was asked last.
    pub fn take_gone(&mut self) -> Vec<Pair> {
        std::mem::take(&mut self.gone)
    }

    /// A client does not know a name at an address any more.
    fn let_go(&mut self, client: ClientId, addr: IpAddr, name: &DomainName) {
        if let Some(gone) = self.own.amend(client, &addr, |names| names.take(name)).flatten() {
            self.forget(&gone);
        }
        self.unshare(addr, |names| names.forget_name(client, name));
    }

    /// What a client was told had to go.
    fn forget(&mut self, record: &Record) {
        self.spread.forget(record);
        self.forgotten.note(record.client, record.expires);
        self.gone.push((record.client, record.addr));
    }

    /// What a client is not told any more, nobody else uses any more.
    fn unshare(&mut self, addr: IpAddr, forget: impl FnOnce(&mut Names)) {
        if let Some(names) = self.shared.get_mut(&addr) {
            forget(names);
            if names.as_slice().is_empty() {
                self.shared.remove(&addr);
            }
        }
    }
}
