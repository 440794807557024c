use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Counts the questions of a connection that wait for their answers.
#[derive(Debug, Default)]
pub struct Outstanding {
    count: AtomicUsize,
    answered: Notify,
}

impl Outstanding {
    /// A question goes on.
    pub fn add(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// An answer has been passed on. In audit mode there may be more of these than questions.
    pub fn answered(&self) {
        let less = |count: usize| Some(count.saturating_sub(1));
        // The closure always gives a number.
        let _ = self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        self.answered.notify_one();
    }

    /// Waits until fewer than `limit` wait. For one task at a time.
    pub async fn fewer_than(&self, limit: usize) {
        while self.count.load(Ordering::Relaxed) >= limit {
            self.answered.notified().await;
        }
    }
}
