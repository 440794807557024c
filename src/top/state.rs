use std::collections::VecDeque;
use std::num::NonZeroUsize;

use jiff::Timestamp;
use lru::LruCache;

use crate::control::Status;
use crate::filter::Filter;
use crate::say::Said;

use super::group::{Group, Grouping};
use super::history::History;
use super::permit::Permit;
use super::row::{Key, Row};
use super::sort::Sort;

/// Rows that are kept; the one that was quiet for longest goes.
const ROWS: NonZeroUsize = NonZeroUsize::new(4096).unwrap();
/// Waits of which percentiles are made.
pub(super) const WAITS: usize = 1024;

/// All that `top` knows and shows. It changes by [`super::update()`] and [`super::on_key()`] alone.
#[derive(Debug)]
pub struct State {
    /// The rows, the one that something happened to last first.
    pub(super) rows: LruCache<Key, Row>,
    pub(super) status: Option<Status>,
    pub(super) history: History,
    /// Microseconds that the last decisions took, and whether the kernel made them alone.
    pub(super) waits: VecDeque<(u64, bool)>,
    pub(super) missed: u64,
    pub(super) now: Timestamp,
    /// Why nothing new comes.
    pub(super) lost: Option<String>,
    /// What stands still while paused.
    pub(super) frozen: Option<Vec<Row>>,
    pub(super) filter: Filter,
    pub(super) filter_text: String,
    pub(super) filter_error: Option<String>,
    /// Whether the filter is being typed; what it was before.
    pub(super) typing: Option<String>,
    pub(super) grouping: Grouping,
    pub(super) sort: Sort,
    pub(super) selected: usize,
    pub(super) screen: Screen,
    /// Why a key did nothing; until the next one.
    pub(super) notice: Option<&'static str>,
    /// Whether this shows a file.
    pub(super) replayed: bool,
}

/// What is shown.
#[derive(Debug, Default)]
pub(super) enum Screen {
    #[default]
    Table,
    Help,
    Detail(Box<Detail>),
    Permit(Box<Permit>),
}

/// One row, and what is said about it.
#[derive(Debug)]
pub(super) struct Detail {
    pub row: Row,
    pub said: Option<Result<Said, String>>,
    /// Lines that are scrolled past.
    pub skipped: u16,
}

impl State {
    /// Nothing known yet.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            rows: LruCache::new(ROWS),
            status: None,
            history: History::default(),
            waits: VecDeque::new(),
            missed: 0,
            now,
            lost: None,
            frozen: None,
            filter: Filter::default(),
            filter_text: String::new(),
            filter_error: None,
            typing: None,
            grouping: Grouping::None,
            sort: Sort::Recent,
            selected: 0,
            screen: Screen::Table,
            notice: None,
            replayed: false,
        }
    }

    /// The same for a file that is shown again.
    #[must_use]
    pub fn of_a_file(now: Timestamp) -> Self {
        Self { replayed: true, ..Self::new(now) }
    }

    /// Begins with a filter.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn set_filter(&mut self, text: &str) -> Result<(), crate::filter::FilterError> {
        self.filter = Filter::parse(text)?;
        text.clone_into(&mut self.filter_text);
        Ok(())
    }

    /// The rows that are to be shown, in order.
    #[must_use]
    pub fn shown(&self) -> Vec<&Row> {
        let fits = |row: &&Row| self.filter.matches(&row.fields());
        let mut rows: Vec<&Row> = match &self.frozen {
            Some(frozen) => frozen.iter().filter(fits).collect(),
            None => self.rows.iter().map(|(_, row)| row).filter(fits).collect(),
        };
        self.sort.sort(&mut rows);
        rows
    }

    /// The groups that are to be shown, in order.
    pub(super) fn groups(&self) -> Vec<Group> {
        self.grouping.groups(&self.shown(), self.sort)
    }

    /// How many lines the table has.
    pub(super) fn lines(&self) -> usize {
        if self.grouping == Grouping::None { self.shown().len() } else { self.groups().len() }
    }

    /// The wait at a percentile, in microseconds; none if nothing was decided by a worker.
    pub(super) fn wait(&self, percent: usize) -> Option<u64> {
        let mut waits: Vec<u64> = self.waits.iter().filter(|(_, fast)| !fast).map(|(wait, _)| *wait).collect();
        waits.sort_unstable();
        let at = (waits.len() * percent / 100).min(waits.len().saturating_sub(1));
        waits.get(at).copied()
    }

    /// Percent of the last decisions that the kernel made alone; none if there are none.
    pub(super) fn fast_share(&self) -> Option<usize> {
        let fast = self.waits.iter().filter(|(_, fast)| *fast).count();
        (fast * 100).checked_div(self.waits.len())
    }
}
