//! The one place that reads clocks. Everything else takes the time as an argument.

use std::time::{Duration, SystemTime};

use nix::time::{ClockId, clock_gettime};

use crate::model::Moment;

/// The current [`Moment`], from `CLOCK_BOOTTIME`: it goes on through suspend and knows no jumps.
#[must_use]
pub fn now() -> Moment {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Moment::ZERO, |time| {
        let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
        let nanos = u64::try_from(time.tv_nsec()).unwrap_or(0);
        Moment::from_nanos(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    })
}

/// The wall clock, for what people and files read. Never for a decision.
#[must_use]
pub fn wall() -> SystemTime {
    #[expect(clippy::disallowed_methods, reason = "this is the place that reads it")]
    SystemTime::now()
}

/// How long the machine has slept since its boot, to the microsecond or so.
#[must_use]
pub fn asleep() -> Duration {
    let awake = clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from);
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from).saturating_sub(awake)
}
