use std::collections::VecDeque;

use jiff::Timestamp;

use crate::model::Verdict;

/// Seconds that are kept.
const SECONDS: usize = 240;

/// Decisions of the last seconds, second by second.
#[derive(Debug, Default)]
pub struct History {
    /// The second, what was let through in it, what was refused or would be; the newest last.
    seconds: VecDeque<(i64, u64, u64)>,
}

impl History {
    /// Counts decisions.
    pub fn add(&mut self, at: Timestamp, verdict: Verdict, weight: u64) {
        self.reach(at);
        let counted = self.seconds.iter_mut().rev().find(|(second, ..)| *second == at.as_second());
        if let Some((_, allowed, refused)) = counted {
            let count = match verdict {
                Verdict::Allow => allowed,
                Verdict::Deny | Verdict::Audit => refused,
            };
            *count = count.saturating_add(weight);
        }
    }

    /// Makes room up to a moment.
    pub fn reach(&mut self, now: Timestamp) {
        let now = now.as_second();
        let last = self.seconds.back().map_or(now - 1, |(second, ..)| *second);
        let room = i64::try_from(SECONDS).unwrap_or(i64::MAX);
        for second in last.max(now - room) + 1..=now {
            self.seconds.push_back((second, 0, 0));
        }
        while self.seconds.len() > SECONDS {
            self.seconds.pop_front();
        }
    }

    /// What was let through and what was refused in each of the last seconds, the newest last.
    pub fn last(&self, count: usize) -> (Vec<u64>, Vec<u64>) {
        let skip = self.seconds.len().saturating_sub(count);
        self.seconds.iter().skip(skip).map(|(_, allowed, refused)| (*allowed, *refused)).unzip()
    }

    /// The same a second, over the last whole ones.
    pub fn rates(&self, seconds: usize) -> (f64, f64) {
        let whole: Vec<_> = self.seconds.iter().rev().skip(1).take(seconds).collect();
        let over = f64::from(u32::try_from(whole.len()).unwrap_or(u32::MAX));
        let sum = |part: fn(&(i64, u64, u64)) -> u64| {
            super::row::per_second(whole.iter().map(|second| part(second)).fold(0, u64::saturating_add), over)
        };
        (sum(|(_, allowed, _)| *allowed), sum(|(_, _, refused)| *refused))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_counted_and_few_are_kept() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut history = History::default();
        history.add(at(100), Verdict::Allow, 3);
        history.add(at(102), Verdict::Deny, 2);
        history.add(at(101), Verdict::Audit, 1);
        assert_eq!(history.last(9), (vec![3, 0, 0], vec![0, 1, 2]));
        assert_eq!(history.rates(2), (1.5, 0.5));
        history.reach(at(i64::from(i32::MAX)));
        assert_eq!(history.last(usize::MAX).0, vec![0; SECONDS]);
        history.add(at(5), Verdict::Allow, 1);
        assert_eq!(history.last(usize::MAX).0, vec![0; SECONDS]);
    }
}
