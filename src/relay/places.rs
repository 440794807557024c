use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::limits::{CONNECTIONS, PER_CLIENT};

/// The places for connections: so many for all clients, so many for each.
#[derive(Clone, Debug, Default)]
pub struct Places(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_client: HashMap<IpAddr, usize>,
}

/// A place that a connection has until this is dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    client: IpAddr,
}

impl Places {
    /// A place for one more connection of a client; none if it has its share, or all are taken.
    #[must_use]
    pub fn take(&self, client: IpAddr) -> Option<Place> {
        let mut taken = self.lock();
        let own = taken.by_client.get(&client).copied().unwrap_or(0);
        if taken.all >= CONNECTIONS || own >= PER_CLIENT {
            return None;
        }
        taken.all += 1;
        taken.by_client.insert(client, own + 1);
        Some(Place { places: self.clone(), client })
    }

    /// How many are taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.lock().all
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all = taken.all.saturating_sub(1);
        let left = taken.by_client.get(&self.client).map_or(0, |own| own.saturating_sub(1));
        if left == 0 {
            taken.by_client.remove(&self.client);
        } else {
            taken.by_client.insert(self.client, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    fn client(number: u16) -> IpAddr {
        Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, number).into()
    }

    #[test]
    fn a_client_has_its_share_and_others_theirs() {
        let places = Places::default();
        let mut held: Vec<Place> = (0..PER_CLIENT).map(|_| places.take(client(1)).unwrap()).collect();
        assert!(places.take(client(1)).is_none());
        assert!(places.take(client(2)).is_some());
        held.pop();
        assert!(places.take(client(1)).is_some());
        held.clear();
        assert_eq!(places.taken(), 0);
        assert!(places.lock().by_client.is_empty(), "who has gone is forgotten");
    }

    #[test]
    fn all_clients_together_have_no_more_than_there_are() {
        let places = Places::default();
        let held: Vec<Place> = (0..1_024).map(|number| places.take(client(number)).unwrap()).collect();
        assert!(places.take(client(2_000)).is_none());
        drop(held);
        assert!(places.take(client(2_000)).is_some());
    }
}
