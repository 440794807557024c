use std::collections::VecDeque;
use std::sync::Arc;

use super::Event;

/// The last events, oldest first.
#[derive(Debug)]
pub struct Ring {
    events: VecDeque<Arc<Event>>,
    capacity: usize,
}

impl Ring {
    /// A ring of at most `capacity` events.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { events: VecDeque::new(), capacity }
    }

    /// Adds an event; the oldest goes when the ring is full.
    pub fn push(&mut self, event: Arc<Event>) {
        if self.events.len() >= self.capacity {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// The last `count` events, oldest first.
    #[must_use]
    pub fn last(&self, count: usize) -> Vec<Arc<Event>> {
        let skip = self.events.len().saturating_sub(count);
        self.events.iter().skip(skip).cloned().collect()
    }
}
