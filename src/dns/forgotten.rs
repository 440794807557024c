use lru::LruCache;

use crate::model::{ClientId, Moment};

/// Clients that are remembered here: those beyond, the one that lost something longest ago first, are as if they had lost
/// nothing.
const CLIENTS: usize = 1_024;

/// Until when each client may have been told things that there was no room for.
///
/// So long nothing that others were told counts for it: it might have been told otherwise itself.
pub(super) struct Forgotten(LruCache<ClientId, Moment>);

impl Forgotten {
    /// Something of a client had to go that would have counted until then.
    pub fn note(&mut self, client: ClientId, until: Moment) {
        let known = self.0.get_or_insert_mut(client, || until);
        *known = until.max(*known);
        if self.0.len() > CLIENTS {
            self.0.pop_lru();
        }
    }

    /// Whether something that would still count may be missing for a client.
    pub fn concerns(&self, client: ClientId, now: Moment) -> bool {
        self.0.peek(&client).is_some_and(|&until| now < until)
    }
}

impl Default for Forgotten {
    fn default() -> Self {
        // With a capacity it would take all of it at once.
        Self(LruCache::unbounded())
    }
}
