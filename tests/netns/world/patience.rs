use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take on a slow machine before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// This time; on a machine that is emulated, and has `DECIDER_SLOW` in the environment, so many times as long.
pub fn patiently(time: Duration) -> Duration {
    let factor = std::env::var("DECIDER_SLOW").ok().and_then(|factor| factor.parse().ok());
    time * factor.unwrap_or(1)
}

/// Waits until a probe gives something; panics with `what` if it never does.
pub fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, &mut probe).unwrap_or_else(|| panic!("never came: {what}"))
}

/// Asks a probe again and again for that long.
pub fn within<T>(time: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let (began, time) = (Instant::now(), patiently(time));
    loop {
        if let Some(found) = probe() {
            return Some(found);
        }
        if began.elapsed() > time {
            return None;
        }
        thread::sleep(Duration::from_millis(10));
    }
}
