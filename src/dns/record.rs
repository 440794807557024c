use std::net::IpAddr;
use std::time::Duration;

use crate::model::{ClientId, DomainName, Moment, words};

use super::private::{is_never_believed, is_private};

/// An observation: this client was told that this name is at this address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The address.
    pub addr: IpAddr,
    /// Who asked.
    pub client: ClientId,
    /// What for.
    pub name: DomainName,
    /// When the answer came.
    pub learned: Moment,
    /// From when on it does not count any more.
    pub expires: Moment,
    /// What the answer said, whole seconds.
    pub ttl: Duration,
    /// Whether it can let anything through.
    pub belief: Belief,
    /// How many connections of that client live that it let through: as long as there is one it counts for that client.
    pub flows: u32,
}

impl Record {
    /// Whether it counts.
    #[must_use]
    pub fn is_live(&self, now: Moment) -> bool {
        self.flows > 0 || self.has_time(now)
    }

    fn has_time(&self, now: Moment) -> bool {
        now < self.expires
    }

    /// What it is good for.
    #[must_use]
    pub fn state(&self, now: Moment) -> State {
        match self.belief {
            Belief::Private => State::Private,
            Belief::Believed if self.has_time(now) => State::Live,
            Belief::Believed if self.is_live(now) => State::Held,
            Belief::Believed => State::Expired,
        }
    }
}

words! {
    /// What an observation is good for.
    pub enum State {
        Live = "live", "it lets connections through that a rule allows";
        Held = "held", "its time has run out, but for its client it counts as long as a connection through it lives";
        Expired = "expired", "its time has run out";
        Private = "private", "it is not believed, since the address is private or this host's own";
    }
}

/// Whether an observation can let anything through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belief {
    /// Yes.
    Believed,
    /// No: the address is private or this host's own. Kept so that a refusal can say so.
    Private,
}

/// What decides whether an address that a name resolved to is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grounds {
    /// Whether the policy lets names be at private addresses.
    pub allow_private: bool,
    /// Whether the address is this host's own.
    pub is_here: bool,
}

impl Grounds {
    /// Whether an observation of `addr` can let anything through. This host's own addresses never can, nor can those
    /// where no name is ever meant to be, such as loopback and multicast.
    #[must_use]
    pub fn belief(self, addr: IpAddr) -> Belief {
        let Self { allow_private, is_here } = self;
        if is_here || is_never_believed(addr) || (!allow_private && is_private(addr)) {
            Belief::Private
        } else {
            Belief::Believed
        }
    }
}
