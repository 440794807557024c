use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

use crate::model::{ClientId, DomainName};

use super::record::Record;

/// What a flow holds: an observation that counts for the flow's client as long as the flow lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Whose flow it is.
    pub client: ClientId,
    /// Where it goes.
    pub addr: IpAddr,
    /// The name that let it through.
    pub name: DomainName,
    /// Whether another client had asked for it.
    pub borrowed: bool,
}

/// How many flows hold what. There is no more of it than there are flows that hold something.
///
/// The counts are kept beside the observations: one that had to go and is learned again is held as it was before.
#[derive(Default)]
pub(super) struct Holds {
    own: HashMap<(ClientId, IpAddr, DomainName), u32>,
    /// By who uses them. The newest last, each with its flows.
    borrowed: HashMap<(ClientId, IpAddr), Vec<Record>>,
}

impl Holds {
    /// How many flows of a client hold its own observation.
    pub fn count(&self, client: ClientId, addr: IpAddr, name: &DomainName) -> u32 {
        if self.own.is_empty() {
            return 0;
        }
        self.own.get(&(client, addr, name.clone())).copied().unwrap_or(0)
    }

    /// One more flow holds a client's own observation: how many now.
    pub fn hold(&mut self, held: &Held) -> u32 {
        let count = self.own.entry(key(held)).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// One flow less: how many now.
    pub fn release(&mut self, held: &Held) -> u32 {
        let Entry::Occupied(mut count) = self.own.entry(key(held)) else { return 0 };
        *count.get_mut() -= 1;
        let left = *count.get();
        if left == 0 {
            count.remove();
        }
        left
    }

    /// What others asked and flows of this client hold, the newest last.
    pub fn borrowed(&self, client: ClientId, addr: IpAddr) -> &[Record] {
        self.borrowed.get(&(client, addr)).map_or(&[], Vec::as_slice)
    }

    /// All that is borrowed, by anybody.
    pub fn all_borrowed(&self) -> impl Iterator<Item = &Record> {
        self.borrowed.values().flatten()
    }

    /// One more flow of `client` holds what somebody else asked. No more than `limit` names of an address can be held.
    pub fn borrow(&mut self, client: ClientId, record: Record, limit: usize) -> Option<Held> {
        let held = Held { client, addr: record.addr, name: record.name.clone(), borrowed: true };
        let records = self.borrowed.entry((client, record.addr)).or_default();
        let known = records.iter().position(|known| known.name == record.name).map(|index| records.remove(index));
        if known.is_none() && records.len() >= limit {
            return None;
        }
        let flows = known.map_or(0, |known| known.flows).saturating_add(1);
        let place = records.partition_point(|known| known.learned <= record.learned);
        records.insert(place, Record { flows, ..record });
        Some(held)
    }

    /// One flow less of those.
    pub fn give_back(&mut self, held: &Held) {
        let Entry::Occupied(mut records) = self.borrowed.entry((held.client, held.addr)) else { return };
        if let Some(record) = records.get_mut().iter_mut().find(|record| record.name == held.name) {
            record.flows = record.flows.saturating_sub(1);
        }
        records.get_mut().retain(|record| record.flows > 0);
        if records.get().is_empty() {
            records.remove();
        }
    }
}

fn key(Held { client, addr, name, borrowed: _ }: &Held) -> (ClientId, IpAddr, DomainName) {
    (*client, *addr, name.clone())
}
