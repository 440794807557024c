use super::Book;
use super::entry::Id;

/// At how many addresses a client knows each name: counted only for clients that have so much that a name of theirs could
/// have more than its share.
impl Book {
    /// A client has one more, or one that has changed.
    pub(super) fn count(&mut self, client: Id, id: Id) {
        let per_name = self.room.per_name();
        let Some(client) = self.clients.get_mut(client) else { return };
        if client.is_spread {
            self.spread.add(client.who, &self.entries[id]);
        } else if usize::try_from(client.weight).is_ok_and(|weight| weight > per_name) {
            client.is_spread = true;
            for id in self.entries.ring(client.newest) {
                self.spread.add(client.who, &self.entries[id]);
            }
        }
    }

    /// A client has one less, or one that is going to change.
    pub(super) fn uncount(&mut self, client: Id, id: Id) {
        if let Some(client) = self.clients.get(client).filter(|client| client.is_spread) {
            self.spread.remove(client.who, &self.entries[id]);
        }
    }

    /// A client has less than before: it need not be counted any more long before it has to again.
    pub(super) fn stop_counting(&mut self, client: Id) {
        let few = self.room.per_name() / 2;
        let Some(client) = self.clients.get_mut(client).filter(|client| client.is_spread) else { return };
        if usize::try_from(client.weight).is_ok_and(|weight| weight <= few) {
            client.is_spread = false;
            for id in self.entries.ring(client.newest) {
                self.spread.remove(client.who, &self.entries[id]);
            }
        }
    }
}
