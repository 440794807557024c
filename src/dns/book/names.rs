use crate::model::{DomainName, Moment};

use super::super::record::{Belief, Record};
use super::Book;
use super::entry::{Entry, Id};

/// The names of an address, the newest first: what one client was told, or what others were.
#[derive(Clone, Copy)]
pub struct Names<'a> {
    pub(super) book: &'a Book,
    pub(super) newest: Option<Id>,
    pub(super) is_shared: bool,
}

/// One of them.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    book: &'a Book,
    entry: &'a Entry,
    is_shared: bool,
}

impl<'a> Names<'a> {
    pub fn iter(self) -> impl Iterator<Item = Sight<'a>> {
        let Self { book, newest, is_shared } = self;
        let own = newest.filter(|_| !is_shared).into_iter().flat_map(|newest| book.entries.group(newest));
        let shared = book.entries.chain(newest.filter(|_| is_shared));
        own.chain(shared).map(move |id| Sight { book, entry: &book.entries[id], is_shared })
    }

    /// The only one, if there is just one.
    pub fn only(self) -> Option<Sight<'a>> {
        let mut all = self.iter();
        all.next().filter(|_| all.next().is_none())
    }

    pub fn is_empty(self) -> bool {
        self.newest.is_none()
    }
}

impl<'a> Sight<'a> {
    pub fn name(self) -> &'a DomainName {
        &self.entry.name
    }

    pub fn belief(self) -> Belief {
        self.entry.belief
    }

    pub fn expires(self) -> Moment {
        if self.is_shared { self.entry.shared_expires() } else { self.entry.expires() }
    }

    /// Whether it counts. What a flow holds counts for its client alone.
    pub fn is_live(self, now: Moment) -> bool {
        (!self.is_shared && self.entry.flows > 0) || now < self.expires()
    }

    pub fn record(self) -> Record {
        let record = self.entry.record(self.book.clients.who(self.entry.client));
        if self.is_shared { Record { expires: self.expires(), flows: 0, ..record } } else { record }
    }
}
