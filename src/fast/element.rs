use std::net::IpAddr;

use crate::model::{Mark, Moment};

/// What connections are alike by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Source address.
    pub client: IpAddr,
    /// Destination.
    pub dst: IpAddr,
    /// Its port.
    pub port: u16,
}

/// A decision to let something through that the kernel makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// Of which connections.
    pub key: Key,
    /// The mark that it gives them.
    pub mark: Mark,
    /// From this moment on the kernel does not make it any more.
    pub until: Moment,
}
