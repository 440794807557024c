use std::net::IpAddr;
use std::time::Duration;

use crate::model::{ClientId, DomainName, Moment};

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
}

impl Record {
    /// Whether it counts.
    #[must_use]
    pub fn is_live(&self, now: Moment) -> bool {
        now < self.expires
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
