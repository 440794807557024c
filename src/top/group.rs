use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::Verdict;

use super::row::Row;
use super::sort::Sort;

/// What rows are put together by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// Each stands alone.
    None,
    /// The source address.
    Client,
    /// The name.
    Name,
    /// The rule.
    Rule,
}

/// Rows that have something in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What they have in common; `-` for nothing.
    pub title: String,
    /// Decisions that let through.
    pub allowed: u64,
    /// Decisions that refused, or would.
    pub refused: u64,
    /// Connections that live.
    pub open: u64,
    /// Decisions a second.
    pub rate: f64,
    /// Bytes of the connections that live.
    pub bytes: Option<u64>,
    /// The last decision.
    pub last: Timestamp,
}

impl Grouping {
    /// The word for it, which is a filter's field too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Client => "client",
            Self::Name => "name",
            Self::Rule => "rule",
        }
    }

    /// The one after it.
    pub const fn next(self) -> Self {
        match self {
            Self::None => Self::Client,
            Self::Client => Self::Name,
            Self::Name => Self::Rule,
            Self::Rule => Self::None,
        }
    }

    fn title(self, row: &Row) -> String {
        match self {
            Self::None => None,
            Self::Client => Some(row.client.to_string()),
            Self::Name => row.domain.as_ref().map(ToString::to_string),
            Self::Rule => row.rule.as_ref().map(ToString::to_string),
        }
        .unwrap_or_else(|| "-".to_owned())
    }

    /// The groups in that order; by name and by client it is their title's.
    pub fn groups(self, rows: &[&Row], sort: Sort) -> Vec<Group> {
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        for row in rows {
            let title = self.title(row);
            groups.entry(title.clone()).or_insert_with(|| Group::new(title, row.last)).add(row);
        }
        let mut groups: Vec<Group> = groups.into_values().collect();
        match sort {
            Sort::Recent => groups.sort_by_key(|group| Reverse(group.last)),
            Sort::Rate => groups.sort_by(|one, other| other.rate.total_cmp(&one.rate)),
            Sort::Bytes => groups.sort_by_key(|group| Reverse(group.bytes)),
            Sort::Name | Sort::Client => {}
        }
        groups
    }
}

impl Group {
    fn new(title: String, last: Timestamp) -> Self {
        Self { title, allowed: 0, refused: 0, open: 0, rate: 0.0, bytes: None, last }
    }

    fn add(&mut self, row: &Row) {
        match row.verdict {
            Verdict::Allow => self.allowed = self.allowed.saturating_add(row.count),
            Verdict::Deny | Verdict::Audit => self.refused = self.refused.saturating_add(row.count),
        }
        self.open = self.open.saturating_add(row.open);
        self.rate += row.rate;
        self.bytes = [self.bytes, row.bytes].into_iter().flatten().reduce(u64::saturating_add);
        self.last = self.last.max(row.last);
    }
}
