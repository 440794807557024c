use std::hash::RandomState;
use std::net::IpAddr;
use std::time::Duration;

use crate::model::{ClientId, DomainName, Moment, Scope};

use super::book::{Book, Names, Sight, Sought};
use super::holds::{Held, Holds};
use super::known::Known;
use super::limits::Limits;
use super::loans::{Loans, Pair};
use super::record::{Belief, Record};

/// The cache of names: which names clients were told to be at an address.
///
/// Names that no rule mentions have a small room of their own, the trail, so that a refusal can say what was looked up
/// and they take nothing from those that matter.
///
/// An observation that has expired is kept while there is room, so that a refusal can tell "too long ago" from "never".
/// Whether it counts is asked at every look-up: by the clock, and by the flows that hold it.
pub struct Observations {
    limits: Limits,
    cache: Book,
    trail: Book,
    /// Of both.
    hasher: RandomState,
    holds: Holds,
    loans: Loans,
}

impl Observations {
    /// An empty cache.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let hasher = RandomState::new();
        let book = |room| Book::new(room, hasher.clone());
        let (cache, trail) = (book(limits.cache_room()), book(limits.trail_room()));
        Self { limits, cache, trail, hasher, holds: Holds::default(), loans: Loans::default() }
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
        let flows = self.holds.count(client, addr, &name);
        let record = Record { addr, client, name, learned: now, expires, ttl, belief, flows };
        let known = self.cache.own(self.sought(client, addr)).only();
        if !known.is_some_and(|only| *only.name() == record.name && only.belief() == belief) {
            self.loans.call_in((client, addr));
        }
        self.cache.put(&record, now);
        self.call_in_what_is_gone();
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
        self.put_on_trail(&Record { addr, client, name, learned: now, expires, ttl, belief, flows: 0 }, now);
    }

    /// Takes over an observation from an earlier run. It lives no longer than the present limits let any, and is no
    /// younger than now. Whether it is believed is asked anew: policy and addresses may have changed in between.
    pub fn restore(&mut self, record: Record, belief: Belief, now: Moment) {
        let record = self.carried_over(record, belief, now);
        self.loans.call_in((record.client, record.addr));
        self.cache.put(&record, now);
        self.call_in_what_is_gone();
    }

    /// The same for a name that no rule mentions any more: it goes to the trail.
    pub fn restore_note(&mut self, record: Record, belief: Belief, now: Moment) {
        let record = self.carried_over(record, belief, now);
        self.put_on_trail(&record, now);
    }

    /// What is known about an address for a client: its own observations if one of them lives, else others' as the scope
    /// says; but not if one of its own may have lived for which there was no room. Allocates nothing, and looks at no
    /// more than four times [`Limits::per_address`] observations.
    #[must_use]
    pub fn about(&self, addr: IpAddr, client: ClientId, scope: Scope, now: Moment) -> Known<'_> {
        let sought = self.sought(client, addr);
        Known::new(self, sought, [self.cache.own(sought), self.trail.own(sought)], scope, now)
    }

    /// What others were told about an address, as far as it counts for a client, and of that what flows of it hold.
    pub(super) fn others(&self, sought: Sought, scope: Scope, now: Moment) -> ([Names<'_>; 2], &[Record]) {
        let Sought { client, addr, .. } = sought;
        let has_forgotten = self.cache.has_forgotten(client, now) || self.trail.has_forgotten(client, now);
        match if has_forgotten { Scope::Client } else { scope } {
            Scope::Shared => ([self.cache.shared(addr), self.trail.shared(addr)], self.holds.borrowed(client, addr)),
            Scope::Client => ([self.cache.nothing(), self.trail.nothing()], &[]),
        }
    }

    /// Judges anew by another policy: which names rules mention, which addresses are believed, how long what is learned
    /// from now on lives. What is known lives as long as it was promised to.
    pub fn judge_anew(
        &mut self,
        limits: Limits,
        mentions: impl Fn(&DomainName) -> bool,
        belief: impl Fn(IpAddr) -> Belief,
        now: Moment,
    ) {
        let Limits { min_ttl, max_ttl, grace, .. } = limits;
        self.limits = Limits { min_ttl, max_ttl, grace, ..self.limits };
        let misplaced = |record: &Record, mentioned: bool| mentions(&record.name) != mentioned;
        let demoted: Vec<Record> = self.cache.iter().filter(|record| misplaced(record, true)).collect();
        let promoted: Vec<Record> = self.trail.iter().filter(|record| misplaced(record, false)).collect();
        for record in demoted {
            self.cache.take_out(&record);
            self.trail.put(&Record { flows: 0, ..record }, now);
        }
        for record in promoted {
            self.trail.take_out(&record);
            let flows = self.holds.count(record.client, record.addr, &record.name);
            self.cache.put(&Record { flows, ..record }, now);
        }
        for book in [&mut self.cache, &mut self.trail] {
            let otherwise: Vec<Record> = book.iter().filter(|record| belief(record.addr) != record.belief).collect();
            for record in otherwise {
                let belief = belief(record.addr);
                // Taken out first: what is known is not renewed by what is no newer.
                book.take_out(&record);
                book.put(&Record { belief, ..record }, now);
            }
        }
        self.call_in_what_is_gone();
    }

    /// Somebody is going to decide by what a client's one observation of an address says now. As soon as that is not all that
    /// is known any more, the pair is [called in](Self::take_called_in). That its time runs out is no news.
    pub fn lend(&mut self, client: ClientId, addr: IpAddr) {
        self.loans.lend((client, addr));
    }

    /// Pairs that were lent and are known otherwise by now: they are lent no more.
    pub fn take_called_in(&mut self) -> Vec<Pair> {
        self.loans.take_called_in()
    }

    fn put_on_trail(&mut self, record: &Record, now: Moment) {
        self.loans.call_in((record.client, record.addr));
        self.trail.put(record, now);
        self.call_in_what_is_gone();
    }

    /// What was lent has a single observation, and that is in the cache: of the trail nothing is lent.
    fn call_in_what_is_gone(&mut self) {
        self.trail.take_gone();
        for pair in self.cache.take_gone() {
            self.loans.call_in(pair);
        }
    }

    /// Lets a flow of `client` to `addr` hold the observation that let it through, until [`release`](Self::release): the
    /// newest one of the client's own whose name leads to where the flow went. If there is none, and the scope lets the
    /// client use others', it is the newest of those. It may have expired since. Nothing if there is neither.
    pub fn hold(
        &mut self,
        client: ClientId,
        addr: IpAddr,
        scope: Scope,
        leads: impl Fn(&DomainName) -> bool,
    ) -> Option<Held> {
        let led = |seen: &Sight<'_>| seen.belief() == Belief::Believed && leads(seen.name());
        let own = self.cache.own(self.sought(client, addr)).iter().find(led).map(|seen| seen.name().clone());
        if let Some(name) = own {
            let held = Held { client, addr, name, borrowed: false };
            let flows = self.holds.hold(&held);
            self.cache.set_flows(client, addr, &held.name, flows);
            return Some(held);
        }
        if scope == Scope::Client {
            return None;
        }
        let others = self.cache.shared(addr).iter().find(led).map(Sight::record);
        let is_led = |record: &&Record| record.belief == Belief::Believed && leads(&record.name);
        let record = others.or_else(|| self.holds.borrowed(client, addr).iter().rev().find(is_led).cloned())?;
        self.holds.borrow(client, record, self.limits.per_address.max(1))
    }

    /// A flow that held an observation has ended. From the last one on only the observation's own time counts.
    pub fn release(&mut self, held: &Held) {
        if held.borrowed {
            self.holds.give_back(held);
        } else {
            let flows = self.holds.release(held);
            self.cache.set_flows(held.client, held.addr, &held.name, flows);
        }
    }

    /// Every observation of a name that rules mention, in no particular order. It takes time in proportion to all of
    /// them: for people and for the disk, not for packets.
    pub fn iter(&self) -> impl Iterator<Item = Record> {
        self.cache.iter()
    }

    /// Every observation of the trail, in no particular order.
    pub fn trail(&self) -> impl Iterator<Item = Record> {
        self.trail.iter()
    }

    /// Every observation of an address, those of the trail and those that flows of others hold included, in no particular
    /// order; as costly as [`iter`](Self::iter).
    pub fn at(&self, addr: IpAddr) -> impl Iterator<Item = Record> {
        self.iter()
            .chain(self.trail())
            .chain(self.holds.all_borrowed().cloned())
            .filter(move |record| record.addr == addr)
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

    fn sought(&self, client: ClientId, addr: IpAddr) -> Sought {
        Sought::new(&self.hasher, client, addr)
    }

    fn carried_over(&self, record: Record, belief: Belief, now: Moment) -> Record {
        let learned = record.learned.min(now);
        let expires = record.expires.min(learned.after(self.limits.longest()));
        let flows = self.holds.count(record.client, record.addr, &record.name);
        Record { learned, expires, belief, flows, ..record }
    }
}
