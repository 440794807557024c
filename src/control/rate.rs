use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;

/// Requests of a user in a second, over time. `top` makes three each time it looks.
pub const A_SECOND: u32 = 100;
/// And after a quiet time, at once.
pub const AT_ONCE: u32 = 200;
/// Users that are remembered; the one that was quiet for longest goes.
const USERS: NonZeroUsize = NonZeroUsize::new(256).unwrap();
const ONE: u64 = 1_000_000;

/// What each user may still ask.
pub struct Rates(LruCache<u32, Bucket>);

struct Bucket {
    /// Millionths of a request.
    left: u64,
    filled: Duration,
}

impl Rates {
    /// Nobody has asked yet.
    pub fn new() -> Self {
        Self(LruCache::new(USERS))
    }

    /// Takes one request of a user's, so long after the start. Says whether there was one left.
    pub fn take(&mut self, user: u32, now: Duration) -> bool {
        let full = u64::from(AT_ONCE) * ONE;
        let bucket = self.0.get_or_insert_mut(user, || Bucket { left: full, filled: now });
        let micros = u64::try_from(now.saturating_sub(bucket.filled).as_micros()).unwrap_or(u64::MAX);
        bucket.left = bucket.left.saturating_add(micros.saturating_mul(A_SECOND.into())).min(full);
        bucket.filled = now;
        let taken = bucket.left.checked_sub(ONE);
        bucket.left = taken.unwrap_or(bucket.left);
        taken.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(rates: &mut Rates, user: u32, now: Duration) -> u32 {
        (0..10 * AT_ONCE).map(|_| u32::from(rates.take(user, now))).sum()
    }

    #[test]
    fn a_user_has_so_many_at_once_and_then_so_many_a_second() {
        let mut rates = Rates::new();
        let second = Duration::from_secs(1);
        assert_eq!(taken(&mut rates, 1000, Duration::ZERO), AT_ONCE);
        assert_eq!(taken(&mut rates, 1000, second), A_SECOND);
        assert_eq!(taken(&mut rates, 1000, second + Duration::from_millis(50)), A_SECOND / 20);
        // However long it was quiet, and whatever the clock does.
        assert_eq!(taken(&mut rates, 1000, 1_000 * second), AT_ONCE);
        assert_eq!(taken(&mut rates, 1000, Duration::ZERO), 0);
        assert_eq!(taken(&mut rates, 1000, Duration::MAX), AT_ONCE);
        // Others have their own.
        assert_eq!(taken(&mut rates, 1001, second), AT_ONCE);
    }

    #[test]
    fn no_number_of_users_takes_more_room() {
        let mut rates = Rates::new();
        for user in 0..10_000 {
            rates.take(user, Duration::ZERO);
        }
        assert_eq!(rates.0.len(), USERS.get());
    }
}
