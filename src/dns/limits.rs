use std::time::Duration;

/// How much is remembered, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Observations of all clients together.
    pub capacity: usize,
    /// Observations of one client.
    pub per_client: usize,
    /// Names of one address: for each client, and for all together when one client uses what others asked.
    pub per_address: usize,
    /// Observations of names that no rule mentions, of all clients together; they do not count as part of `capacity`.
    pub trail: usize,
    /// Those of one client.
    pub trail_per_client: usize,
    /// A shorter TTL counts as this.
    pub min_ttl: Duration,
    /// A longer TTL counts as this.
    pub max_ttl: Duration,
    /// How much longer than its TTL an observation counts.
    pub grace: Duration,
}

/// How many observations one part of the memory holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Of all clients together.
    pub capacity: usize,
    /// Of one client.
    pub per_client: usize,
    /// Of one address: see [`Limits::per_address`].
    pub per_address: usize,
}

impl Room {
    /// Observations of one name of one client.
    pub fn per_name(&self) -> usize {
        (self.per_client / 2).max(1)
    }
}

/// Observations of names that no rule mentions for which each part has room beyond twice a client's mean.
const TRAIL_SLACK: usize = 16;

impl Limits {
    /// Names of one address that are looked at for a decision; it bounds the decision's cost.
    const PER_ADDRESS: usize = 32;
    /// Observations that any client may have, however small the cache: some thousand names are ordinary.
    const PER_CLIENT_AT_LEAST: usize = 8_192;
    /// Observations of names that no rule mentions that a client may have, however large the cache.
    const TRAIL_PER_CLIENT: usize = 1_024;

    /// The limits for a cache of `capacity` observations: a sixteenth of it for one client, but 8192 at least. A
    /// sixteenth more is for names that no rule mentions, 1024 of them for one client.
    #[must_use]
    pub fn new(capacity: usize, min_ttl: Duration, max_ttl: Duration, grace: Duration) -> Self {
        let capacity = capacity.max(1);
        let per_client = (capacity / 16).max(Self::PER_CLIENT_AT_LEAST).min(capacity);
        let trail = (capacity / 16).max(1);
        Self {
            capacity,
            per_client,
            per_address: Self::PER_ADDRESS,
            trail,
            trail_per_client: trail.min(Self::TRAIL_PER_CLIENT),
            min_ttl,
            max_ttl,
            grace,
        }
    }

    /// The limits of one of `shards` parts among which the addresses are spread by a hash.
    ///
    /// A client's addresses never spread evenly. So each part has room for twice the client's mean and some more, and a
    /// client that keeps within its share is not squeezed by the luck of the hash.
    #[must_use]
    pub fn share_of(self, shards: usize) -> Self {
        let shards = shards.max(1);
        let capacity = self.capacity.div_ceil(shards).max(1);
        let slack = self.per_address.saturating_mul(2).saturating_add(32);
        let per_client = self.per_client.div_ceil(shards).saturating_mul(2).saturating_add(slack);
        let trail = (self.trail / shards).max(1);
        let trail_per_client = self.trail_per_client.div_ceil(shards).saturating_mul(2).saturating_add(TRAIL_SLACK);
        Self {
            capacity,
            per_client: per_client.min(capacity),
            trail,
            trail_per_client: trail_per_client.min(trail),
            ..self
        }
    }

    /// The room for names that rules mention.
    pub(super) fn cache_room(&self) -> Room {
        Room { capacity: self.capacity, per_client: self.per_client, per_address: self.per_address }
    }

    /// The room for names that none mentions.
    pub(super) fn trail_room(&self) -> Room {
        // One address always fits: its names must then be within the client's share.
        let per_address = self.per_address.min(self.trail_per_client);
        Room { capacity: self.trail, per_client: self.trail_per_client, per_address }
    }

    /// How long an observation with this TTL counts.
    #[must_use]
    pub fn lifetime(&self, ttl: Duration) -> Duration {
        // Not `clamp`, which panics where the limits are the wrong way round.
        ttl.max(self.min_ttl).min(self.max_ttl).saturating_add(self.grace)
    }

    /// How long an observation counts at most.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.max_ttl.saturating_add(self.grace)
    }
}
