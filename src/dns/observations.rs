use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::model::{ClientId, DomainName, Moment, Scope};

use super::fair::{Bounds, FairStore};
use super::known::Known;
use super::limits::Limits;
use super::names::Names;
use super::record::{Belief, Record};

/// The cache of names: which names clients were told to be at an address.
///
/// An observation that has expired is kept while there is room, so that a refusal can tell "too long ago" from "never".
/// Whether it counts is asked at every look-up.
pub struct Observations {
    limits: Limits,
    /// What each client was told itself.
    own: FairStore<ClientId, IpAddr, Names>,
    /// What anybody was told: of each name the newest observation. Every client in here has that address in `own` too,
    /// which bounds it.
    shared: HashMap<IpAddr, Names>,
}

impl Observations {
    /// An empty cache.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let bounds = Bounds { capacity: limits.capacity, share: limits.per_client };
        Self { limits, own: FairStore::new(bounds), shared: HashMap::new() }
    }

    /// Learns that `client` was told that `name` is at `addr`. It becomes the name that this client asked for last.
    pub fn learn(
        &mut self,
        now: Moment,
        client: ClientId,
        addr: IpAddr,
        name: DomainName,
        ttl: Duration,
        belief: Belief,
    ) -> Record {
        let expires = now.after(self.limits.lifetime(ttl));
        let record = Record { addr, client, name, learned: now, expires, ttl, belief };
        self.put(record.clone(), now);
        record
    }

    /// Takes over an observation from an earlier run. It lives no longer than the present limits let any, and is no
    /// younger than now. Whether it is believed is asked anew: policy and addresses may have changed in between.
    pub fn restore(&mut self, record: Record, belief: Belief, now: Moment) {
        let learned = record.learned.min(now);
        let expires = record.expires.min(learned.after(self.limits.longest()));
        self.put(Record { learned, expires, belief, ..record }, now);
    }

    /// What is known about an address for a client: its own observations if one of them lives, else others' as the scope
    /// says. Allocates nothing, and looks at no more than twice [`Limits::per_address`] observations.
    #[must_use]
    pub fn about(&self, addr: IpAddr, client: ClientId, scope: Scope, now: Moment) -> Known<'_> {
        let own = self.own.peek(&client, &addr).map_or(&[][..], Names::as_slice);
        let shared = match scope {
            Scope::Shared => self.shared.get(&addr).map_or(&[][..], Names::as_slice),
            Scope::Client => &[],
        };
        Known::new(own, shared, now)
    }

    /// Every observation, in no particular order. It takes time in proportion to all of them: for people, not for packets.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        self.own.iter().flat_map(|(_, _, names)| names.as_slice())
    }

    /// Every observation of an address, in no particular order, as costly as [`iter`](Self::iter).
    pub fn at(&self, addr: IpAddr) -> impl Iterator<Item = &Record> {
        self.iter().filter(move |record| record.addr == addr)
    }

    /// How many observations there are, expired ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.own.weight()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn put(&mut self, record: Record, now: Moment) {
        let (addr, client, limit) = (record.addr, record.client, self.limits.per_address);
        self.shared.entry(addr).or_default().put(record.clone(), limit, now);
        let evicted = self.own.change(client, addr, now, |names| names.put(record, limit, now));
        for gone in evicted {
            self.unshare(gone.key, gone.owner);
        }
    }

    /// A client's observations of an address are gone, so nobody else uses them any more.
    fn unshare(&mut self, addr: IpAddr, client: ClientId) {
        if let Some(names) = self.shared.get_mut(&addr) {
            names.forget(client);
            if names.as_slice().is_empty() {
                self.shared.remove(&addr);
            }
        }
    }
}
