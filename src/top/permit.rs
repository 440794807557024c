use std::net::IpAddr;

use crate::control::{TemporaryReport, TemporaryView};

use super::keys::Action;
use super::row::Row;

/// How long something may be allowed, in seconds.
const TIMES: [u64; 6] = [60, 600, 3_600, 28_800, 86_400, 604_800];
/// Where that begins.
const TEN_MINUTES: usize = 1;

/// A refused row that somebody wants to let through for a while, and has yet to confirm.
#[derive(Debug)]
pub(super) struct Permit {
    target: String,
    row_client: IpAddr,
    is_narrow: bool,
    time: usize,
    /// Which question is the last one: answers to others come too late.
    asked: u64,
    pub(super) answer: Answer,
}

/// What decider says of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing yet.
    Awaited,
    /// It could be done, and nothing else will be.
    Possible(Box<TemporaryView>, Vec<String>),
    /// It is done.
    Done(Box<TemporaryView>, Vec<String>),
    /// It cannot be done: why, and what to do.
    Refused(String, Option<String>),
}

impl Permit {
    /// Begins with ten minutes, for the row's client alone. None for a row that no rule for a name would let through.
    pub(super) fn of(row: &Row) -> Option<Self> {
        let target = row.allow_target()?;
        let answer = Answer::Awaited;
        Some(Self { target, row_client: row.client, is_narrow: true, time: TEN_MINUTES, asked: 0, answer })
    }

    /// Asks what exactly would be allowed.
    pub(super) fn ask(&mut self) -> Action {
        self.request(true)
    }

    /// Has it done, if that is what the answer says.
    pub(super) fn confirm(&mut self) -> Option<Action> {
        matches!(self.answer, Answer::Possible(..)).then(|| self.request(false))
    }

    /// For the row's client alone, or for everybody.
    pub(super) fn widen_or_narrow(&mut self) -> Option<Action> {
        self.change(|permit| permit.is_narrow = !permit.is_narrow)
    }

    /// For longer, or less long.
    pub(super) fn lengthen(&mut self, longer: bool) -> Option<Action> {
        let time = if longer { (self.time + 1).min(TIMES.len() - 1) } else { self.time.saturating_sub(1) };
        self.change(|permit| permit.time = time)
    }

    /// Whether it is done.
    pub(super) const fn is_done(&self) -> bool {
        matches!(self.answer, Answer::Done(..))
    }

    /// Takes an answer to the question of that number.
    pub(super) fn answered(&mut self, number: u64, answer: Result<TemporaryReport, String>) {
        if number != self.asked {
            return;
        }
        self.answer = match answer {
            Err(why) => Answer::Refused(why, None),
            Ok(TemporaryReport { failure: Some(failure), .. }) => Answer::Refused(failure.message, failure.help),
            Ok(report) => match report.rules.into_iter().next() {
                None => Answer::Refused("decider does not say what it would allow".to_owned(), None),
                Some(rule) if report.dry_run => Answer::Possible(Box::new(rule), report.notes),
                Some(rule) => Answer::Done(Box::new(rule), report.notes),
            },
        };
    }

    fn change(&mut self, change: impl FnOnce(&mut Self)) -> Option<Action> {
        if self.is_done() {
            return None;
        }
        change(self);
        Some(self.ask())
    }

    fn request(&mut self, dry_run: bool) -> Action {
        self.asked += 1;
        self.answer = Answer::Awaited;
        Action::Allow {
            number: self.asked,
            target: self.target.clone(),
            for_s: TIMES.get(self.time).copied().unwrap_or_default(),
            client: self.is_narrow.then_some(self.row_client),
            dry_run,
        }
    }
}
