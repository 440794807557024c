use crate::model::{DomainName, Moment, Scope};

use super::book::{Names, Sight, Sought};
use super::observations::Observations;
use super::record::{Belief, Record};

/// What is known about one address for one client, at one moment.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    of: &'a Observations,
    sought: Sought,
    scope: Scope,
    now: Moment,
    /// The client's own. Of names that rules mention first, then of others: what helps most comes first.
    own: [Names<'a>; 2],
    is_own: bool,
}

impl<'a> Known<'a> {
    pub(super) fn new(of: &'a Observations, sought: Sought, own: [Names<'a>; 2], scope: Scope, now: Moment) -> Self {
        let is_own = newest_first(own).any(|seen| seen.is_live(now));
        Self { of, sought, scope, now, own, is_own }
    }

    /// The names that the address is believed to stand for: those that rules mention before the others, and of each kind
    /// the one that was asked for last first. They are either all the client's own or all taken from others.
    pub fn live(&self) -> impl Iterator<Item = &'a DomainName> + use<'a> {
        self.counting(Belief::Believed)
    }

    /// The moment at which this is known.
    #[must_use]
    pub const fn now(&self) -> Moment {
        self.now
    }

    /// Whether the client has an observation of its own that lives, believed or not: then nothing that others asked counts.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.is_own
    }

    /// The newest name that was looked up but is not believed, because the address is private or this host's own.
    #[must_use]
    pub fn private(&self) -> Option<&'a DomainName> {
        self.counting(Belief::Private).next()
    }

    /// The newest name whose time has run out, the client's own first.
    #[must_use]
    pub fn expired(&self) -> Option<&'a DomainName> {
        let has_expired = |seen: &Sight<'_>| !seen.is_live(self.now);
        let own = newest_first(self.own).find(has_expired);
        own.or_else(|| newest_first(self.others().0).find(has_expired)).map(Sight::name)
    }

    /// The client's own observation, if it has just one of this address, expired ones counted, and that one is believed and
    /// has time left: then nothing but that one decides.
    #[must_use]
    pub fn sole(&self) -> Option<Record> {
        let [named, other] = self.own;
        let only = named.only().filter(|_| other.is_empty())?;
        Some(only).filter(|only| only.belief() == Belief::Believed && self.now < only.expires()).map(Sight::record)
    }

    /// What others were told, and of that what flows of the client hold.
    fn others(&self) -> ([Names<'a>; 2], &'a [Record]) {
        self.of.others(self.sought, self.scope, self.now)
    }

    fn counting(&self, belief: Belief) -> impl Iterator<Item = &'a DomainName> + use<'a> {
        let (lists, borrowed) = if self.is_own { (self.own, &[][..]) } else { self.others() };
        let now = self.now;
        let counts = move |seen: &Sight<'_>| seen.belief() == belief && seen.is_live(now);
        let is_there = move |held: &Record| newest_first(lists).any(|seen| *seen.name() == held.name && counts(&seen));
        let holds = move |held: &&Record| held.belief == belief && held.is_live(now) && !is_there(held);
        let names = newest_first(lists).filter(counts).map(Sight::name);
        names.chain(borrowed.iter().rev().filter(holds).map(|held| &held.name))
    }
}

/// One list after the other.
fn newest_first(lists: [Names<'_>; 2]) -> impl Iterator<Item = Sight<'_>> {
    lists.into_iter().flat_map(Names::iter)
}
