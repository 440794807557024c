use std::time::{Duration, UNIX_EPOCH};

use crate::clock;

/// The wall clock is corrected a little all the time; by more than this, somebody has set it.
const JUMP: Duration = Duration::from_secs(1);

/// When the boot was, by the wall clock: another time if that has been set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew(Duration);

impl Skew {
    /// By the clocks as they are.
    #[must_use]
    pub fn now() -> Self {
        let wall = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(wall.saturating_sub(Duration::from_nanos(clock::now().nanos())))
    }

    /// Whether the wall clock has been set in between.
    #[must_use]
    pub fn differs_from(self, other: Self) -> bool {
        self.0.abs_diff(other.0) > JUMP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_told_from_one_that_is_corrected() {
        let at = |millis| Skew(Duration::from_millis(millis));
        assert!(!at(5_000).differs_from(at(5_900)) && !at(5_900).differs_from(at(5_000)));
        assert!(at(5_000).differs_from(at(6_100)) && at(6_100).differs_from(at(5_000)));
        assert!(!Skew::now().differs_from(Skew::now()));
    }
}
