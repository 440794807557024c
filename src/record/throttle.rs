use std::time::Duration;

use crate::model::Moment;

/// How long a failure that came back, or became another one, is not told of.
const BRIEF: Duration = Duration::from_secs(60);
/// How long the same one is not, while it goes on.
const LONG: Duration = Duration::from_secs(60 * 60);

/// Which lines about something that fails over and over go to a log: one when it begins, and then one an hour. If it comes and
/// goes, or is another failure each time, one a minute.
#[derive(Debug, Default)]
pub struct Throttle {
    last: Option<(String, Moment)>,
    /// Failures that were not told since.
    left_out: u64,
    /// Whether it still fails as it was told.
    goes_on: bool,
}

/// A failure that is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// How many before it were not; none if that is zero.
    pub left_out: Option<u64>,
}

impl Throttle {
    /// It has failed, for this reason. None if that is not to be told.
    pub fn fails(&mut self, why: &str, now: Moment) -> Option<Told> {
        let is_silent = self.last.as_ref().is_some_and(|(last, at)| {
            let is_the_same = self.goes_on && last == why;
            now.since(*at) < if is_the_same { LONG } else { BRIEF }
        });
        if is_silent {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.last = Some((why.to_owned(), now));
        self.goes_on = true;
        let left_out = std::mem::take(&mut self.left_out);
        Some(Told { left_out: (left_out > 0).then_some(left_out) })
    }

    /// It works. Whether that ends a failure that was told.
    pub fn works(&mut self) -> bool {
        std::mem::take(&mut self.goes_on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_secs(1_000 + seconds)
    }

    fn told(left_out: u64) -> Told {
        Told { left_out: (left_out > 0).then_some(left_out) }
    }

    #[test]
    fn what_fails_every_time_is_told_when_it_begins_and_once_an_hour() {
        let mut throttle = Throttle::default();
        assert_eq!(throttle.fails("a", at(0)), Some(told(0)));
        assert_eq!((1..3_600).filter_map(|second| throttle.fails("a", at(second))).count(), 0);
        assert_eq!(throttle.fails("a", at(3_600)), Some(told(3_599)));
        assert_eq!(throttle.fails("a", at(3_601)), None);
        assert!(throttle.works());
        assert!(!throttle.works(), "its end is told once");
    }

    #[test]
    fn another_failure_is_told_once_a_minute() {
        let mut throttle = Throttle::default();
        assert_eq!(throttle.fails("a", at(0)), Some(told(0)));
        for second in 1..60 {
            let why = if second % 2 == 0 { "a" } else { "b" };
            assert_eq!(throttle.fails(why, at(second)), None);
        }
        assert_eq!(throttle.fails("b", at(60)), Some(told(59)));
        assert_eq!(throttle.fails("a", at(119)), None);
        assert_eq!(throttle.fails("a", at(120)), Some(told(1)));
    }

    #[test]
    fn what_comes_and_goes_is_told_once_a_minute_and_so_is_its_end() {
        let mut throttle = Throttle::default();
        assert!(!throttle.works());
        assert_eq!(throttle.fails("a", at(0)), Some(told(0)));
        assert!(throttle.works());
        for second in 1..60 {
            assert_eq!(throttle.fails("a", at(second)), None);
            assert!(!throttle.works(), "whose beginning was not told, whose end is not either");
        }
        assert_eq!(throttle.fails("a", at(60)), Some(told(59)));
        assert!(throttle.works());
    }
}
