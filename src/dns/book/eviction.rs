use crate::model::Moment;

use super::Book;
use super::entry::{Entry, Id};

/// Clients that are asked for an expired address before one goes that is not.
const ASKED: usize = 32;

/// What has to go.
impl Book {
    /// Lets go of what there is no room for since a client was told this.
    pub(super) fn make_room(&mut self, client: Id, id: Id, now: Moment) {
        let name = self.entries[id].name.clone();
        let who = self.clients.who(client);
        if let Some(displaced) = self.displaced(id, now) {
            self.let_go(displaced);
        }
        while self.is_over_share(client) && self.evict_from(client) {}
        while self.len() > self.room.capacity {
            let loser = self.idle_and_stale(now).or_else(|| self.clients.heaviest());
            if !loser.is_some_and(|loser| self.evict_from(loser)) {
                break;
            }
        }
        if let Some(oldest) = self.spread.oldest_over(self.room.per_name(), who, &name)
            && let Some(id) = self.own_by_name(who, oldest, &name)
        {
            self.let_go(id);
        }
    }

    /// Removes an entry from wherever it is.
    pub(super) fn remove(&mut self, id: Id) -> Entry {
        let client = self.entries[id].client;
        if self.entries[id].is_shared {
            self.unshare(id);
        }
        let sought = self.sought(id);
        if self.newest(sought) == Some(id) {
            let next = self.entries.group(id).nth(1);
            self.own.replace(sought.hash, Some(id), next, |_| sought.hash);
        }
        self.uncount(client, id);
        self.leave(client, id);
        self.clients.lose(client);
        self.stop_counting(client);
        self.entries.remove(id)
    }

    /// What a client was told had to go.
    fn let_go(&mut self, id: Id) {
        let who = self.clients.who(self.entries[id].client);
        let entry = self.remove(id);
        self.forgotten.note(who, entry.expires());
        self.gone.push((who, entry.addr));
    }

    /// Of an address with too many names one that is expired, else the oldest.
    fn displaced(&self, id: Id, now: Moment) -> Option<Id> {
        let newest = self.newest(self.sought(id))?;
        let limit = self.room.per_address.max(1);
        let oldest = self.entries.group(newest).skip(limit).last()?;
        let expired = self.entries.group(newest).filter(|&id| !self.entries[id].is_live(now)).last();
        Some(expired.unwrap_or(oldest))
    }

    fn is_over_share(&self, client: Id) -> bool {
        let Some(oldest) = self.oldest(client) else { return false };
        self.clients.get(client).is_some_and(|client| {
            usize::try_from(client.weight).is_ok_and(|weight| weight > self.room.per_client)
                && self.entries[oldest].addr != self.entries[client.newest].addr
        })
    }

    /// Of the clients that have been idle longest the first one whose least recent address has expired.
    fn idle_and_stale(&self, now: Moment) -> Option<Id> {
        self.clients.idle().take(ASKED).find(|&client| {
            self.oldest(client)
                .is_some_and(|oldest| self.entries.together(oldest).all(|id| !self.entries[id].is_live(now)))
        })
    }

    /// Lets go of a client's least recent address, with all of its names.
    fn evict_from(&mut self, client: Id) -> bool {
        let Some(oldest) = self.oldest(client) else { return false };
        let all: Vec<Id> = self.entries.together(oldest).collect();
        for id in all {
            self.let_go(id);
        }
        true
    }
}
