use crate::model::{DomainName, Moment};

use super::record::{Belief, Record};

/// What is known about one address for one client, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    sources: Sources<'a>,
    now: Moment,
    is_own: bool,
}

/// Observations of one address, each list with the newest last. Of names that rules mention first, then of others: what
/// helps most comes first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sources<'a> {
    /// The client's own.
    pub own: [&'a [Record]; 2],
    /// Anybody's; none where only the client's own count.
    pub shared: [&'a [Record]; 2],
    /// Others', which flows of the client hold; none where only the client's own count.
    pub borrowed: &'a [Record],
}

impl<'a> Known<'a> {
    pub(super) fn new(sources: Sources<'a>, now: Moment) -> Self {
        let is_own = newest_first(sources.own).any(|record| record.is_live(now));
        Self { sources, now, is_own }
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
        let all = newest_first(self.sources.own).chain(newest_first(self.sources.shared));
        let mut expired = all.filter(|record| !record.is_live(self.now));
        expired.next().map(|record| &record.name)
    }

    /// The client's own observation, if it has just one of this address, expired ones counted, and that one is believed and
    /// has time left: then nothing but that one decides.
    #[must_use]
    pub fn sole(&self) -> Option<&'a Record> {
        match self.sources.own {
            [[only], []] => Some(only).filter(|only| only.belief == Belief::Believed && self.now < only.expires),
            _ => None,
        }
    }

    fn counting(&self, belief: Belief) -> impl Iterator<Item = &'a DomainName> + use<'a> {
        let Sources { own, shared, borrowed } = self.sources;
        let (lists, borrowed) = if self.is_own { (own, &[][..]) } else { (shared, borrowed) };
        let now = self.now;
        let counts = move |record: &&Record| record.is_live(now) && record.belief == belief;
        let is_there = move |held: &Record| lists.iter().copied().flatten().any(|r| r.name == held.name && counts(&r));
        newest_first(lists)
            .filter(counts)
            .chain(borrowed.iter().rev().filter(move |held| counts(held) && !is_there(held)))
            .map(|record| &record.name)
    }
}

/// One list after the other, each from its end.
fn newest_first(lists: [&[Record]; 2]) -> impl Iterator<Item = &Record> + use<'_> {
    lists.into_iter().flat_map(|list| list.iter().rev())
}
