use std::net::IpAddr;
use std::time::Duration;

use crate::model::{ClientId, DomainName, Moment, Scope};

use super::book::Book;
use super::known::{Known, Sources};
use super::limits::Limits;
use super::record::{Belief, Record};

/// The cache of names: which names clients were told to be at an address.
///
/// Names that no rule mentions have a small room of their own, the trail, so that a refusal can say what was looked up
/// and they take nothing from those that matter.
///
/// An observation that has expired is kept while there is room, so that a refusal can tell "too long ago" from "never".
/// Whether it counts is asked at every look-up.
pub struct Observations {
    limits: Limits,
    cache: Book,
    trail: Book,
}

impl Observations {
    /// An empty cache.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, cache: Book::new(limits.cache_room()), trail: Book::new(limits.trail_room()) }
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
        self.cache.put(record.clone(), now);
        record
    }

    /// The same for a name that no rule mentions: it goes to the trail.
    pub fn note(
        &mut self,
        now: Moment,
        client: ClientId,
        addr: IpAddr,
        name: DomainName,
        ttl: Duration,
        belief: Belief,
    ) {
        let expires = now.after(self.limits.lifetime(ttl));
        self.trail.put(Record { addr, client, name, learned: now, expires, ttl, belief }, now);
    }

    /// Takes over an observation from an earlier run. It lives no longer than the present limits let any, and is no
    /// younger than now. Whether it is believed is asked anew: policy and addresses may have changed in between.
    pub fn restore(&mut self, record: Record, belief: Belief, now: Moment) {
        let record = self.carried_over(record, belief, now);
        self.cache.put(record, now);
    }

    /// The same for a name that no rule mentions any more: it goes to the trail.
    pub fn restore_note(&mut self, record: Record, belief: Belief, now: Moment) {
        let record = self.carried_over(record, belief, now);
        self.trail.put(record, now);
    }

    /// What is known about an address for a client: its own observations if one of them lives, else others' as the scope
    /// says. Allocates nothing, and looks at no more than four times [`Limits::per_address`] observations.
    #[must_use]
    pub fn about(&self, addr: IpAddr, client: ClientId, scope: Scope, now: Moment) -> Known<'_> {
        let own = [self.cache.own(client, addr), self.trail.own(client, addr)];
        let shared = match scope {
            Scope::Shared => [self.cache.shared(addr), self.trail.shared(addr)],
            Scope::Client => [&[][..]; 2],
        };
        Known::new(Sources { own, shared }, now)
    }

    /// Every observation of a name that rules mention, in no particular order. It takes time in proportion to all of
    /// them: for people and for the disk, not for packets.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        self.cache.iter()
    }

    /// Every observation of the trail, in no particular order.
    pub fn trail(&self) -> impl Iterator<Item = &Record> {
        self.trail.iter()
    }

    /// Every observation of an address, those of the trail included, in no particular order; as costly as
    /// [`iter`](Self::iter).
    pub fn at(&self, addr: IpAddr) -> impl Iterator<Item = &Record> {
        self.iter().chain(self.trail()).filter(move |record| record.addr == addr)
    }

    /// How many observations there are, expired ones included, those of the trail not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cache.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn carried_over(&self, record: Record, belief: Belief, now: Moment) -> Record {
        let learned = record.learned.min(now);
        let expires = record.expires.min(learned.after(self.limits.longest()));
        Record { learned, expires, belief, ..record }
    }
}
