use std::sync::atomic::{AtomicBool, Ordering};

use crate::record::Count;

use super::places::Places;

/// What the relay did so far, and whether it does anything.
#[derive(Debug, Default)]
pub struct RelayCounters {
    /// Connections that clients made to a resolver, all of those below among them.
    pub connections: Count,
    /// Connections that found no place: reset at once.
    pub overload: Count,
    /// Connections that ended because the guard refused a message.
    pub refused: Count,
    /// Connections that ended because the resolver could not be reached or broke off.
    pub resolver_failed: Count,
    /// Connections that the client broke off, or did not read.
    pub client_failed: Count,
    /// Connections made to the relay itself: closed at once, and not among the above.
    pub strangers: Count,
    /// The places that are taken.
    pub places: Places,
    up: AtomicBool,
}

impl RelayCounters {
    /// Whether it serves.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// Says whether it serves.
    pub(super) fn set_up(&self, up: bool) {
        self.up.store(up, Ordering::Relaxed);
    }
}
