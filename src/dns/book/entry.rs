use std::net::IpAddr;
use std::time::Duration;

use crate::model::{ClientId, DomainName, Moment};

use super::super::record::{Belief, Record};

/// Where an entry or a client is kept.
pub type Id = u32;
/// The place of nothing.
pub const NONE: Id = Id::MAX;

/// The same as a number of the slab.
pub fn index(id: Id) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}

/// An observation as it is kept: 88 bytes, of which there are millions. Times are to the millisecond.
pub struct Entry {
    pub name: DomainName,
    pub learned: Moment,
    pub addr: IpAddr,
    pub belief: Belief,
    /// Whether it is the one of its name that others use.
    pub is_shared: bool,
    /// Who asked.
    pub client: Id,
    pub flows: u32,
    /// Milliseconds from [`Self::learned`] on.
    life: u32,
    /// The same for others, to whom it may have been promised for longer.
    shared_life: u32,
    /// Seconds.
    ttl: u32,
    /// The client's entry that was changed before this one; of the oldest, the newest. Those of an address are together.
    pub older: Id,
    pub newer: Id,
    /// The next older one of its address that others use.
    pub shared_older: Id,
}

impl Entry {
    /// `name` is the record's.
    pub fn new(record: &Record, name: DomainName, client: Id) -> Self {
        let &Record { addr, client: _, name: _, learned, expires, ttl, belief, flows } = record;
        let life = millis(expires.since(learned));
        let ttl = seconds(ttl);
        let (older, newer, shared_older) = (NONE, NONE, NONE);
        let (is_shared, shared_life) = (false, life);
        Self {
            name,
            learned,
            addr,
            belief,
            is_shared,
            client,
            flows,
            life,
            shared_life,
            ttl,
            older,
            newer,
            shared_older,
        }
    }

    /// From when on it does not count for its client any more.
    pub fn expires(&self) -> Moment {
        self.learned.after(Duration::from_millis(self.life.into()))
    }

    /// From when on it does not count for others any more.
    pub fn shared_expires(&self) -> Moment {
        self.learned.after(Duration::from_millis(self.shared_life.into()))
    }

    pub fn set_shared_expires(&mut self, expires: Moment) {
        self.shared_life = millis(expires.since(self.learned));
    }

    /// It is learned again: it lives as long as either, and is as new as the newer. A shorter TTL takes back nothing of what
    /// was promised before.
    pub fn renew(&mut self, record: &Record) {
        let expires = self.expires().max(record.expires);
        if self.learned <= record.learned {
            self.learned = record.learned;
            self.belief = record.belief;
            self.ttl = seconds(record.ttl);
        }
        self.life = millis(expires.since(self.learned));
        self.flows = self.flows.max(record.flows);
    }

    pub fn is_live(&self, now: Moment) -> bool {
        self.flows > 0 || now < self.expires()
    }

    pub fn record(&self, client: ClientId) -> Record {
        Record {
            addr: self.addr,
            client,
            name: self.name.clone(),
            learned: self.learned,
            expires: self.expires(),
            ttl: Duration::from_secs(self.ttl.into()),
            belief: self.belief,
            flows: self.flows,
        }
    }
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

/// Rounded up; 49 days at most, which is more than a policy can ask for.
fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_entry_is_small() {
        assert_eq!(size_of::<super::Entry>(), 88);
    }
}
