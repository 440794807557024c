use super::Book;
use super::entry::{Id, NONE};

/// The order in which a client's entries were changed.
impl Book {
    /// The one that would have to go first.
    pub(super) fn oldest(&self, client: Id) -> Option<Id> {
        let newest = self.clients.get(client)?.newest;
        (newest != NONE).then(|| self.entries[newest].newer)
    }

    /// Takes an entry out of its client's ring.
    pub(super) fn leave(&mut self, client: Id, id: Id) {
        let older = self.entries[id].older;
        if let Some(client) = self.clients.get_mut(client).filter(|client| client.newest == id) {
            client.newest = if older == id { NONE } else { older };
        }
        self.entries.cut(id, id);
    }

    /// Makes those from `oldest` to `newest`, a ring of their own, the newest ones of a client.
    pub(super) fn append(&mut self, client: Id, oldest: Id, newest: Id) -> Id {
        if let Some(client) = self.clients.get_mut(client) {
            if client.newest != NONE {
                self.entries.splice(client.newest, oldest);
            }
            client.newest = newest;
        }
        newest
    }

    /// Makes all entries of an address the newest ones of their client, with another one among them by its age. Returns the
    /// newest of them.
    pub(super) fn join(&mut self, client: Id, newest: Id, id: Id) -> Id {
        let oldest = self.entries.group(newest).last().unwrap_or(newest);
        if self.clients.get(client).is_some_and(|client| client.newest != newest) {
            self.entries.cut(oldest, newest);
            self.append(client, oldest, newest);
        }
        let learned = self.entries[id].learned;
        let before = self.entries.group(newest).find(|&other| self.entries[other].learned <= learned);
        self.entries.splice(before.unwrap_or(self.entries[oldest].older), id);
        if before != Some(newest) {
            return newest;
        }
        if let Some(client) = self.clients.get_mut(client) {
            client.newest = id;
        }
        id
    }
}
