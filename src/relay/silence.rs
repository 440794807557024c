use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::limits::{FIRST_QUESTION, IDLE};

/// Knows when the last whole message came, and when a connection has been silent for too long. Single bytes do not count.
#[derive(Debug)]
pub struct Silence {
    began: Instant,
    /// Milliseconds from the beginning until when there may be silence.
    until: AtomicU64,
}

impl Silence {
    /// A connection begins: the first question has to come soon.
    pub fn new() -> Self {
        Self { began: Instant::now(), until: AtomicU64::new(millis(FIRST_QUESTION)) }
    }

    /// A whole message came.
    pub fn broken(&self) {
        self.until.store(millis(self.began.elapsed() + IDLE), Ordering::Relaxed);
    }

    /// Waits until there has been silence for too long.
    pub async fn too_long(&self) {
        loop {
            let until = self.began + Duration::from_millis(self.until.load(Ordering::Relaxed));
            if Instant::now() >= until {
                return;
            }
            sleep_until(until).await;
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
