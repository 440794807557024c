use std::collections::HashMap;
use std::time::Duration;

use crate::model::{Reason, RuleId, Verdict};

use super::{PathTaken, Record};

/// Kinds of decisions that are counted apart: more than the rules of a policy have reasons.
const MOST_KINDS: usize = 32_768;
/// What the rules are called that found no place any more. No rule's id has a blank.
const OTHER_RULES: &str = "other rules";

/// What decisions are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind {
    /// What was decided.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The rule that decided, if one did.
    pub rule: Option<RuleId>,
    /// Who decided.
    pub path: PathTaken,
}

/// Decisions since the start, by kind, and how long they took. Counted where records arrive, so that no packet waits for it.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    decisions: HashMap<Kind, u64>,
    waits: Waits,
}

impl Tally {
    /// Counts a decision.
    pub fn count(&mut self, record: &Record) {
        let Record { verdict, reason, ref rule, path, waited, .. } = *record;
        let kind = Kind { verdict, reason, rule: rule.clone(), path };
        *self.decisions.entry(self.place_of(kind)).or_default() += 1;
        // What no worker held back did not wait.
        if !waited.is_zero() {
            self.waits.count(waited);
        }
    }

    fn place_of(&self, kind: Kind) -> Kind {
        let has_place = self.decisions.len() < MOST_KINDS || self.decisions.contains_key(&kind);
        if has_place { kind } else { Kind { rule: kind.rule.map(|_| RuleId::new(OTHER_RULES)), ..kind } }
    }

    /// The decisions by kind, in order.
    #[must_use]
    pub fn decisions(&self) -> Vec<(&Kind, u64)> {
        let mut all: Vec<(&Kind, u64)> = self.decisions.iter().map(|(kind, count)| (kind, *count)).collect();
        all.sort_unstable();
        all
    }

    /// How long SYNs waited for their verdict.
    #[must_use]
    pub const fn waits(&self) -> &Waits {
        &self.waits
    }
}

/// A histogram of waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    buckets: [u64; Self::BOUNDS.len()],
    count: u64,
    sum: Duration,
}

impl Waits {
    /// Upper ends of the buckets, in microseconds. What waited longer is in none.
    pub const BOUNDS: [u32; 14] =
        [10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 1_000_000];

    fn count(&mut self, wait: Duration) {
        self.count += 1;
        self.sum = self.sum.saturating_add(wait);
        let fits = |bound: &u32| wait <= Duration::from_micros(u64::from(*bound));
        if let Some(bucket) = Self::BOUNDS.iter().position(fits).and_then(|at| self.buckets.get_mut(at)) {
            *bucket += 1;
        }
    }

    /// Each bucket's upper end, in microseconds, with what is in it and in no one before.
    pub fn buckets(&self) -> impl Iterator<Item = (u32, u64)> {
        Self::BOUNDS.into_iter().zip(self.buckets)
    }

    /// All waits, those in no bucket among them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.count
    }

    /// How long all of them took together.
    #[must_use]
    pub const fn sum(&self) -> Duration {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Mark, Moment, OtherNames, Transport};

    fn record(rule: &str, waited: Duration) -> Record {
        Record {
            at: Moment::ZERO,
            verdict: Verdict::Allow,
            reason: Reason::Allowed,
            rule: (!rule.is_empty()).then(|| RuleId::new(rule)),
            domain: None,
            also: OtherNames::new(),
            client: "10.77.1.2:40000".parse().unwrap(),
            dst: "[2001:db8::9]:22".parse().unwrap(),
            transport: Transport::Tcp,
            mark: Mark(0),
            in_interface: 0,
            uid: None,
            path: PathTaken::Queue,
            waited,
        }
    }

    #[test]
    fn decisions_are_counted_by_kind() {
        let mut tally = Tally::default();
        for rule in ["a", "b", "a", ""] {
            tally.count(&record(rule, Duration::ZERO));
        }
        let counted: Vec<_> = tally
            .decisions()
            .into_iter()
            .map(|(kind, count)| (kind.rule.as_ref().map(|rule| rule.as_str().to_owned()), count))
            .collect();
        assert_eq!(counted, [(None, 1), (Some("a".to_owned()), 2), (Some("b".to_owned()), 1)]);
        assert_eq!(tally.waits().total(), 0);
    }

    #[test]
    fn however_many_rules_come_and_go_the_kinds_are_bounded_and_nothing_is_lost() {
        let mut tally = Tally::default();
        let all = u64::try_from(MOST_KINDS).unwrap() + 1_000;
        for n in 0..all {
            tally.count(&record(&format!("rule-{n}"), Duration::ZERO));
        }
        tally.count(&record("", Duration::ZERO));
        tally.count(&record("rule-0", Duration::ZERO));
        let decisions = tally.decisions();
        assert_eq!(decisions.len(), MOST_KINDS + 2);
        assert_eq!(decisions.iter().map(|(_, count)| count).sum::<u64>(), all + 2);
        let of = |rule: &str| {
            decisions.iter().find(|(kind, _)| kind.rule == Some(RuleId::new(rule))).map(|(_, count)| *count)
        };
        assert_eq!((of(OTHER_RULES), of("rule-0"), of("rule-33000")), (Some(1_000), Some(2), None));
    }

    #[test]
    fn a_wait_is_in_the_first_bucket_that_has_room_for_it() {
        let mut tally = Tally::default();
        for micros in [10, 11, 25, 2_000_000] {
            tally.count(&record("", Duration::from_micros(micros)));
        }
        let waits = tally.waits();
        assert_eq!(waits.buckets().take(3).collect::<Vec<_>>(), [(10, 1), (25, 2), (50, 0)]);
        assert_eq!(waits.buckets().map(|(_, count)| count).sum::<u64>(), 3);
        assert_eq!((waits.total(), waits.sum()), (4, Duration::from_micros(2_000_046)));
    }
}
