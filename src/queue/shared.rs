use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use crossbeam_channel::Sender;

use crate::dns::{Belief, Budgets, Grounds, Limits, Observations, Pending, PendingLimits, Record as Observed};
use crate::model::{ClientId, Epoch, address_bits};
use crate::policy::{Policy, Route};
use crate::record::{Counters, Record};

use super::fast::FastPath;

/// Observations of a part of the cache, about: few enough to look through while a packet waits.
const SHARD: usize = 4096;
/// Parts that the cache is divided into at most, each with its own lock.
const MOST_SHARDS: usize = 256;

/// What workers decide by: the policy and which listeners are up. Replaced as a whole.
#[derive(Debug)]
pub struct Published {
    /// The policy.
    pub policy: Policy,
    /// Its listeners.
    pub readiness: Readiness,
}

/// What a decision was made by: another one means that it might be another decision now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Basis {
    /// Which policy.
    pub epoch: Epoch,
    /// How often a listener of it had come or gone.
    pub readiness: u64,
}

impl Published {
    /// What a decision made from here on is made by. Ask before you decide.
    #[must_use]
    pub fn basis(&self) -> Basis {
        Basis { epoch: self.policy.epoch(), readiness: self.readiness.generation.load(Ordering::Acquire) }
    }
}

/// Which routes have a listener that is up, by [`Route::index`].
#[derive(Debug)]
pub struct Readiness {
    up: Box<[AtomicBool]>,
    /// Counts the changes.
    generation: AtomicU64,
}

impl Readiness {
    /// Nothing is up yet.
    #[must_use]
    pub fn none_of(routes: usize) -> Self {
        Self { up: (0..routes).map(|_| AtomicBool::new(false)).collect(), generation: AtomicU64::new(0) }
    }

    /// Whether a route's listener is up; a route of another policy is not.
    #[must_use]
    pub fn is_ready(&self, route: &Route) -> bool {
        self.up.get(route.index).is_some_and(|ready| ready.load(Ordering::Acquire))
    }

    /// Says whether a route's listener is up.
    pub fn set(&self, route: &Route, up: bool) {
        let changed = self.up.get(route.index).is_some_and(|ready| ready.swap(up, Ordering::AcqRel) != up);
        if changed {
            self.generation.fetch_add(1, Ordering::Release);
        }
    }

    /// How many are up.
    #[must_use]
    pub fn count(&self) -> usize {
        self.up.iter().filter(|ready| ready.load(Ordering::Acquire)).count()
    }
}

/// The cache of names, divided by address so that workers do not wait for each other.
pub struct Knowledge {
    shards: Box<[Mutex<Observations>]>,
    hasher: RandomState,
}

impl Knowledge {
    /// An empty cache with these limits over all.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let count = (limits.capacity / SHARD).clamp(1, MOST_SHARDS);
        let share = limits.share_of(count);
        let shards = (0..count).map(|_| Mutex::new(Observations::new(share))).collect();
        Self { shards, hasher: RandomState::new() }
    }

    /// The part that knows about an address. Hold it briefly.
    ///
    /// A worker that panicked while it held the lock leaves at worst a half-made observation, which is bounded and
    /// expires; the lock goes on.
    pub fn about(&self, address: IpAddr) -> MutexGuard<'_, Observations> {
        let hash = self.hasher.hash_one(address_bits(address));
        let index = usize::try_from(hash % self.shards.len() as u64).unwrap_or(0);
        #[expect(clippy::indexing_slicing, reason = "the index is below the length, and there is one shard at least")]
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Each part in turn.
    pub fn parts(&self) -> impl Iterator<Item = MutexGuard<'_, Observations>> {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What all workers share.
pub struct Shared {
    /// What is decided by.
    pub published: Arc<ArcSwap<Published>>,
    /// Names by address.
    pub knowledge: Knowledge,
    /// Questions without an answer yet.
    pub pending: Mutex<Pending>,
    /// What clients may still ask below wildcards.
    pub budgets: Mutex<Budgets>,
    /// Where decisions are reported; `try_send` only.
    pub records: Sender<Record>,
    /// Where new observations are saved; `try_send` only.
    pub journal: Sender<Observed>,
    /// What happened so far.
    pub counters: Counters,
    /// This host's own addresses.
    pub whereabouts: Whereabouts,
    /// What is left to the kernel.
    pub fast: FastPath,
}

impl Shared {
    /// What is shared at a start: nothing has been asked or counted, and this host's addresses are still to be told.
    #[must_use]
    pub fn new(published: Published, knowledge: Knowledge, records: Sender<Record>, journal: Sender<Observed>) -> Self {
        Self {
            published: Arc::new(ArcSwap::from_pointee(published)),
            knowledge,
            pending: Mutex::new(Pending::new(PendingLimits::default())),
            budgets: Mutex::default(),
            records,
            journal,
            counters: Counters::default(),
            whereabouts: Whereabouts::default(),
            fast: FastPath::default(),
        }
    }

    /// Sends a record on its way. It is never waited for: what finds the channel full is counted.
    pub fn report(&self, record: Record) {
        if self.records.try_send(record).is_err() {
            self.counters.lost_records.add(1);
        }
    }

    /// Who has this source address.
    #[must_use]
    pub fn client(&self, address: IpAddr) -> ClientId {
        self.whereabouts.client(address)
    }

    /// Whether an observation of this address is believed, by the policy and this host's addresses as they are now.
    #[must_use]
    pub fn belief(&self, address: IpAddr) -> Belief {
        let allow_private = self.published.load().policy.spec().dns.allow_private;
        Grounds { allow_private, is_here: self.whereabouts.is_here(address) }.belief(address)
    }
}

/// This host's own addresses, kept current by the daemon.
#[derive(Debug, Default)]
pub struct Whereabouts(ArcSwap<Vec<IpAddr>>);

impl Whereabouts {
    /// Whether the address is this host's.
    #[must_use]
    pub fn is_here(&self, address: IpAddr) -> bool {
        self.0.load().binary_search(&address).is_ok()
    }

    /// Who has this source address: a client behind this host, or this host itself. What its processes ask on one address
    /// counts for what they send from another.
    #[must_use]
    pub fn client(&self, address: IpAddr) -> ClientId {
        if address.is_loopback() || self.is_here(address) { ClientId::HOST } else { ClientId(address) }
    }

    /// Replaces all of them.
    pub fn set(&self, mut addresses: Vec<IpAddr>) {
        addresses.sort_unstable();
        self.0.store(Arc::new(addresses));
    }
}
