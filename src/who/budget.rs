use std::time::Duration;

use crate::model::Moment;

/// What looking may cost: so many steps a second, and as many at once as were left over from the last seconds. A step is
/// a question to the kernel: a socket, an open file of a process, a folder.
#[derive(Clone, Debug)]
pub struct Budget {
    a_second: u64,
    most: u64,
    left: u64,
    filled: Moment,
    taken: u64,
}

impl Budget {
    /// `a_second` steps a second, `most` at once.
    #[must_use]
    pub const fn new(a_second: u64, most: u64, now: Moment) -> Self {
        Self { a_second, most, left: most, filled: now, taken: 0 }
    }

    /// Adds what time has brought.
    pub fn fill(&mut self, now: Moment) {
        let passed = now.since(self.filled).min(Duration::from_secs(self.most));
        let brought = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX).saturating_mul(self.a_second) / 1000;
        // Parts of a step are not lost: they are brought next time.
        if brought > 0 {
            self.left = self.left.saturating_add(brought).min(self.most);
            self.filled = now;
        }
    }

    /// Takes a step, if there is one left.
    pub const fn take(&mut self) -> bool {
        let is_left = self.left > 0;
        if is_left {
            self.left -= 1;
            self.taken += 1;
        }
        is_left
    }

    /// All steps ever taken.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.taken
    }
}
