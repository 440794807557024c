use crate::model::{DomainName, Moment};

use super::record::{Belief, Record};

/// What is known about one address for one client, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The client's own observations, the newest last.
    own: &'a [Record],
    /// Anybody's, the newest last; none where only the client's own count.
    shared: &'a [Record],
    now: Moment,
    is_own: bool,
}

impl<'a> Known<'a> {
    pub(super) fn new(own: &'a [Record], shared: &'a [Record], now: Moment) -> Self {
        let is_own = own.iter().any(|record| record.is_live(now));
        Self { own, shared, now, is_own }
    }

    /// The names that the address is believed to stand for, the one that was asked for last first. They are either all
    /// the client's own or all taken from others.
    pub fn live(&self) -> impl Iterator<Item = &'a DomainName> + use<'a> {
        self.counting(Belief::Believed)
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
        let newest = |records: &'a [Record]| records.iter().rev().find(|record| !record.is_live(self.now));
        newest(self.own).or_else(|| newest(self.shared)).map(|record| &record.name)
    }

    fn counting(&self, belief: Belief) -> impl Iterator<Item = &'a DomainName> + use<'a> {
        let records = if self.is_own { self.own } else { self.shared };
        let now = self.now;
        records
            .iter()
            .rev()
            .filter(move |record| record.is_live(now) && record.belief == belief)
            .map(|record| &record.name)
    }
}
