use std::time::Duration;

/// The first pause: a dead Envoy is to be back within a second.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(10);
/// Who ran for this long ran well.
const WELL: Duration = Duration::from_secs(30);

/// How long to wait before the next start: twice as long each time, until one ran well.
#[derive(Debug, Default)]
pub struct Backoff(u32);

impl Backoff {
    /// The pause after a run that took `ran`.
    pub fn after(&mut self, ran: Duration) -> Duration {
        if ran >= WELL {
            self.0 = 0;
        }
        let pause = FIRST.saturating_mul(2u32.saturating_pow(self.0)).min(LONGEST);
        self.0 = self.0.saturating_add(1);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_begin_anew_after_a_good_run() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> = (0..9).map(|_| backoff.after(Duration::ZERO).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        for _ in 0..100 {
            assert_eq!(backoff.after(WELL / 2), LONGEST);
        }
        assert_eq!(backoff.after(WELL), FIRST);
        assert_eq!(backoff.after(Duration::ZERO), FIRST * 2);
    }
}
