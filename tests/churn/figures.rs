//! What a run came to.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::time::Duration;

use decider::model::{Reason, Verdict};
use serde_json::Value;

use crate::judged::{Outcome, Wrong};
use crate::truth::Expected;

/// Examples of what was wrong that are kept.
const EXAMPLES: usize = 20;

#[derive(Default)]
pub struct Figures {
    /// Questions that were answered; each taught something.
    pub answers: u64,
    /// Questions that had to be sent again.
    pub asked_again: u64,
    /// SYNs, each counted once.
    pub decisions: u64,
    /// SYNs that had to be sent again.
    pub sent_again: u64,
    pub allowed: u64,
    pub refused: BTreeMap<Reason, u64>,
    /// Decisions so near to an expiry or to an answer that both were right.
    pub open: u64,
    /// Decisions in which one of several names was right.
    pub ambiguous: u64,
    /// Connections that were followed through Envoy to the name's own server.
    pub reached: u64,
    /// Events of no SYN that was sent, and further ones of the same.
    pub strange_events: u64,
    pub wrong: BTreeMap<Wrong, u64>,
    pub examples: Vec<String>,
}

impl Figures {
    /// Counts one decision.
    pub fn add(&mut self, outcome: &Outcome, expected: &Expected, what: impl FnOnce() -> String) {
        self.decisions += 1;
        self.open += u64::from(expected.is_open());
        self.ambiguous += u64::from(expected.allowed.len() > 1);
        self.reached += u64::from(matches!(outcome.reached, Some(Ok(_))));
        match &outcome.told {
            Some((Verdict::Allow, ..)) => self.allowed += 1,
            Some((Verdict::Deny | Verdict::Audit, reason, _)) => *self.refused.entry(*reason).or_default() += 1,
            None => {}
        }
        if let Err(wrong) = outcome.judge(expected) {
            *self.wrong.entry(wrong).or_default() += 1;
            if self.examples.len() < EXAMPLES {
                self.examples.push(format!("{wrong}: {}: {outcome:?}, but right is {expected:?}", what()));
            }
        }
    }

    pub fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }

    /// What does not agree with decider's own counters. What was sent again may have been counted twice: it was what came
    /// back that was lost.
    pub fn disagreements(&self, status: &Value) -> Vec<String> {
        let (counters, messages) = (&status["counters"], &status["dns"]["messages"]);
        let own = [
            (counters, "allowed", self.allowed, self.sent_again),
            (counters, "denied", self.refusals(), self.sent_again),
            (messages, "learned", self.answers, self.asked_again),
        ];
        let counted = |group: &Value, name: &str| group[name].as_u64().unwrap_or(0);
        let differing = own.into_iter().filter(|&(group, name, own, again)| {
            let counted = counted(group, name);
            counted < own || counted > own + again
        });
        differing.map(|(group, name, own, _)| format!("{name}: {own} here, {} there", counted(group, name))).collect()
    }

    /// The table, with what the system says beside it.
    pub fn table(&self, took: Duration, memory: [u64; 2], status: &Value) -> String {
        let rate = u128::from(self.decisions) * 1_000 / took.as_millis().max(1);
        let mebibytes = memory.map(|bytes| bytes >> 20);
        let again = format!("{} answers, {} SYNs", self.asked_again, self.sent_again);
        let mut lines = vec![
            ("decisions".to_owned(), format!("{} in {:.1} s, {rate} a second", self.decisions, took.as_secs_f64())),
            ("answers learned".to_owned(), self.answers.to_string()),
            ("allowed".to_owned(), self.allowed.to_string()),
            ("refused".to_owned(), self.refusals().to_string()),
        ];
        lines.extend(self.refused.iter().map(|(reason, count)| (format!("  {reason}"), count.to_string())));
        lines.push(("both right".to_owned(), format!("{} (near an expiry or an answer)", self.open)));
        lines.push(("several right".to_owned(), format!("{} (names asked for at once)", self.ambiguous)));
        lines.push(("through Envoy".to_owned(), format!("{} reached the name's own server", self.reached)));
        lines.push(("lost, sent again".to_owned(), again));
        lines
            .push(("memory".to_owned(), format!("{} MiB at the start, {} MiB at the end", mebibytes[0], mebibytes[1])));
        lines.push(("observations".to_owned(), status["dns"]["observations"].to_string()));
        lines.push(("counters".to_owned(), status["counters"].to_string()));
        lines.extend(Wrong::ALL.map(|wrong| (wrong.to_string(), self.wrong.get(&wrong).unwrap_or(&0).to_string())));
        lines.push(("strange events".to_owned(), self.strange_events.to_string()));
        lines.iter().map(|(name, value)| format!("{name:<24} {value}")).collect::<Vec<_>>().join("\n")
    }
}

/// One line, for those who wait.
impl Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (allowed, refused, wrong) = (self.allowed, self.refusals(), self.wrong.values().sum::<u64>());
        write!(f, "{} decisions: {allowed} allowed, {refused} refused, {wrong} wrong", self.decisions)
    }
}
