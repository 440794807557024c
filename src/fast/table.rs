use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

use crate::model::Moment;

use super::{Element, Key};

/// Elements that there may be at a time, of both families together. What finds no place is decided in the queue.
pub const CAPACITY: usize = 65_536;
/// Elements that one client may have of them: as much as it may have of what is known.
pub const SHARE: usize = CAPACITY / 16;

/// What the kernel's map holds, as far as it was told.
#[derive(Debug)]
pub struct Table {
    /// By client and destination.
    pairs: HashMap<(IpAddr, IpAddr), Vec<Placed>>,
    /// Elements of each client.
    clients: HashMap<IpAddr, usize>,
    len: usize,
    capacity: usize,
    share: usize,
}

#[derive(Debug)]
struct Placed {
    port: u16,
    until: Moment,
}

impl Table {
    /// An empty one with room for so many, and so many of one client.
    #[must_use]
    pub fn new(capacity: usize, share: usize) -> Self {
        Self { pairs: HashMap::new(), clients: HashMap::new(), len: 0, capacity, share }
    }

    /// Until when there is an element, if there is one now.
    #[must_use]
    pub fn find(&self, key: &Key, now: Moment) -> Option<Moment> {
        let placed = self.pairs.get(&(key.client, key.dst))?;
        placed.iter().find(|placed| placed.port == key.port && now < placed.until).map(|placed| placed.until)
    }

    /// Whether a client may have one more.
    #[must_use]
    pub fn has_room(&self, client: IpAddr) -> bool {
        self.len < self.capacity && self.clients.get(&client).is_none_or(|&count| count < self.share)
    }

    /// Adds an element, in place of what there was; says whether there was room.
    pub fn put(&mut self, element: &Element) -> bool {
        let Key { client, dst, port } = element.key;
        let pair = self.pairs.get_mut(&(client, dst));
        if let Some(placed) = pair.and_then(|pair| pair.iter_mut().find(|placed| placed.port == port)) {
            placed.until = element.until;
            return true;
        }
        if !self.has_room(client) {
            return false;
        }
        self.pairs.entry((client, dst)).or_default().push(Placed { port, until: element.until });
        *self.clients.entry(client).or_default() += 1;
        self.len += 1;
        true
    }

    /// Takes out all that a client's connections to an address have.
    pub fn take(&mut self, client: IpAddr, dst: IpAddr) -> Vec<Key> {
        let placed = self.pairs.remove(&(client, dst)).unwrap_or_default();
        self.len -= placed.len();
        leave(&mut self.clients, client, placed.len());
        placed.into_iter().map(|placed| Key { client, dst, port: placed.port }).collect()
    }

    /// Takes out what has ended.
    pub fn expire(&mut self, now: Moment) {
        self.pairs.retain(|(client, _), placed| {
            let before = placed.len();
            placed.retain(|placed| now < placed.until);
            let ended = before - placed.len();
            self.len -= ended;
            leave(&mut self.clients, *client, ended);
            !placed.is_empty()
        });
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.pairs.clear();
        self.clients.clear();
        self.len = 0;
    }

    /// How many elements there are, ended ones included that nobody has taken out yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A client has so many less.
fn leave(clients: &mut HashMap<IpAddr, usize>, client: IpAddr, fewer: usize) {
    if fewer > 0
        && let Entry::Occupied(mut count) = clients.entry(client)
    {
        *count.get_mut() = count.get().saturating_sub(fewer);
        if *count.get() == 0 {
            count.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Mark;

    fn element(client: u8, port: u16, until: u64) -> Element {
        let key = Key { client: IpAddr::from([10, 77, 1, client]), dst: IpAddr::from([192, 0, 2, 1]), port };
        Element { key, mark: Mark(7), until: Moment::from_secs(until) }
    }

    #[test]
    fn an_element_is_there_until_its_time() {
        let mut table = Table::new(10, 10);
        let one = element(1, 22, 50);
        assert!(table.put(&one));
        assert_eq!(table.find(&one.key, Moment::from_secs(49)), Some(Moment::from_secs(50)));
        assert_eq!(table.find(&one.key, Moment::from_secs(50)), None);
        assert_eq!(table.find(&element(1, 23, 50).key, Moment::from_secs(49)), None);
        assert!(table.put(&element(1, 22, 60)));
        assert_eq!((table.find(&one.key, Moment::from_secs(59)).is_some(), table.len()), (true, 1));
    }

    #[test]
    fn all_of_a_pair_go_together_and_no_others() {
        let mut table = Table::new(10, 10);
        let all = [element(1, 22, 50), element(1, 5432, 50), element(2, 22, 50)];
        assert!(all.iter().all(|element| table.put(element)));
        let gone = table.take(all[0].key.client, all[0].key.dst);
        assert_eq!(gone, [all[0].key, all[1].key]);
        assert_eq!((table.len(), table.take(all[0].key.client, all[0].key.dst)), (1, vec![]));
    }

    #[test]
    fn what_finds_no_room_is_left_out_until_something_has_ended() {
        let mut table = Table::new(2, 2);
        assert!(table.put(&element(1, 22, 50)) && table.put(&element(2, 22, 60)));
        assert!(!table.put(&element(3, 22, 60)));
        table.expire(Moment::from_secs(50));
        assert!(table.put(&element(3, 22, 60)));
        assert_eq!(table.len(), 2);
        table.clear();
        assert!(table.is_empty());
    }

    #[test]
    fn a_client_with_its_share_leaves_room_for_others_and_has_it_again() {
        let mut table = Table::new(10, 2);
        assert!(table.put(&element(1, 22, 50)) && table.put(&element(1, 23, 60)));
        assert!(!table.put(&element(1, 24, 60)) && table.put(&element(2, 24, 60)));
        // In place of one that it has.
        assert!(table.put(&element(1, 22, 55)));
        table.expire(Moment::from_secs(55));
        assert!(table.put(&element(1, 24, 60)) && !table.has_room(element(1, 0, 0).key.client));
        table.take(element(1, 0, 0).key.client, element(1, 0, 0).key.dst);
        assert!(table.has_room(element(1, 0, 0).key.client) && table.clients.len() == 1);
        table.clear();
        assert!(table.clients.is_empty());
    }
}
