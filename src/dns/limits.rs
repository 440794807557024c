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
    /// A shorter TTL counts as this.
    pub min_ttl: Duration,
    /// A longer TTL counts as this.
    pub max_ttl: Duration,
    /// How much longer than its TTL an observation counts.
    pub grace: Duration,
}

impl Limits {
    /// Names of one address that are looked at for a decision; it bounds the decision's cost.
    const PER_ADDRESS: usize = 32;
    /// Observations that any client may have, however small the cache: some thousand names are ordinary.
    const PER_CLIENT_AT_LEAST: usize = 8_192;

    /// The limits for a cache of `capacity` observations: a sixteenth of it for one client, but 8192 at least.
    #[must_use]
    pub fn new(capacity: usize, min_ttl: Duration, max_ttl: Duration, grace: Duration) -> Self {
        let capacity = capacity.max(1);
        let per_client = (capacity / 16).max(Self::PER_CLIENT_AT_LEAST).min(capacity);
        Self { capacity, per_client, per_address: Self::PER_ADDRESS, min_ttl, max_ttl, grace }
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
        Self { capacity, per_client: per_client.min(capacity), ..self }
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
