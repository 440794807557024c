use jiff::Timestamp;

use super::human;
use super::look::Look;
use crate::model::Verdict;
use crate::say;
use crate::top::row::Row;

/// Least width of the name's column.
const NAME: usize = 18;

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    What,
    Name,
    Client,
    Destination,
    Port,
    Why,
    Rate,
    Bytes,
    Age,
    Left,
    Route,
    Open,
    Rule,
}

/// All, as they stand from left to right.
pub const ORDER: [Column; 13] = [
    Column::What,
    Column::Name,
    Column::Client,
    Column::Destination,
    Column::Port,
    Column::Why,
    Column::Rule,
    Column::Route,
    Column::Open,
    Column::Rate,
    Column::Bytes,
    Column::Age,
    Column::Left,
];

/// Those that are left out where there is no room, the last one first.
const OPTIONAL: [Column; 7] =
    [Column::Rate, Column::Bytes, Column::Age, Column::Left, Column::Route, Column::Open, Column::Rule];

impl Column {
    const fn is_optional(self) -> bool {
        matches!(self, Self::Rate | Self::Bytes | Self::Age | Self::Left | Self::Route | Self::Open | Self::Rule)
    }

    const fn is_an_address(self) -> bool {
        matches!(self, Self::Client | Self::Destination)
    }

    /// Its cells end at the right then.
    const fn is_a_number(self) -> bool {
        matches!(self, Self::Port | Self::Rate | Self::Bytes | Self::Age | Self::Left | Self::Route | Self::Open)
    }

    /// A text in a cell of that width.
    pub fn cell(self, text: &str, width: usize, look: Look) -> String {
        if self.is_a_number() { number(text, width, look) } else { words(text, width, look) }
    }

    pub const fn heading(self) -> &'static str {
        match self {
            Self::What => "WHAT",
            Self::Name => "NAME",
            Self::Client => "CLIENT",
            Self::Destination => "DESTINATION",
            Self::Port => "PORT",
            Self::Why => "WHY",
            Self::Rate => "RATE",
            Self::Bytes => "BYTES",
            Self::Age => "AGE",
            Self::Left => "LEFT",
            Self::Route => "ROUTE",
            Self::Open => "OPEN",
            Self::Rule => "RULE",
        }
    }

    const fn width(self) -> usize {
        match self {
            Self::What | Self::Port | Self::Route => 5,
            Self::Name => NAME,
            Self::Client => 13,
            Self::Destination => 15,
            Self::Why => 17,
            Self::Rate | Self::Bytes => 6,
            Self::Age | Self::Left | Self::Open => 4,
            Self::Rule => 22,
        }
    }

    /// What a row has in it.
    pub fn text(self, row: &Row, now: Timestamp) -> String {
        match self {
            Self::What => row.verdict.to_string(),
            Self::Name => row.domain.as_ref().map_or("-".to_owned(), ToString::to_string),
            Self::Client => say::who(&row.who).unwrap_or_else(|| row.client.to_string()),
            Self::Destination => row.dst.to_string(),
            Self::Port if row.dst_port == 0 || row.proto != "tcp" => row.proto.clone(),
            Self::Port => row.dst_port.to_string(),
            Self::Why => why(row),
            Self::Rate => human::rate(row.rate),
            Self::Bytes => row.bytes.map_or(String::new(), human::bytes),
            Self::Age => u64::try_from(now.duration_since(row.first).as_secs()).map_or(String::new(), human::seconds),
            Self::Left => row.left_s.map_or(String::new(), human::seconds),
            Self::Route => row.listener_port.map_or(String::new(), |port| port.to_string()),
            Self::Open => {
                if row.open > 0 {
                    row.open.to_string()
                } else {
                    String::new()
                }
            }
            Self::Rule => row.rule.as_ref().map_or(String::new(), ToString::to_string),
        }
    }
}

/// What is allowed is so by its rule; of a temporary one, what it has left comes first.
fn why(row: &Row) -> String {
    match (row.verdict, &row.rule) {
        (Verdict::Allow, Some(rule)) => {
            let left = row.temporary_left_s.map(human::seconds);
            left.map_or(rule.to_string(), |left| format!("temporary, {left} ({rule})"))
        }
        (Verdict::Allow | Verdict::Deny | Verdict::Audit, _) => row.reason.to_string(),
    }
}

/// The columns that a width has room for, and how wide each is.
pub fn columns(width: usize) -> Vec<(Column, usize)> {
    let needed: usize = ORDER.iter().filter(|column| !column.is_optional()).map(|column| column.width() + 1).sum();
    let mut room = (width + 1).saturating_sub(needed);
    let mut chosen = vec![];
    for column in OPTIONAL {
        if room > column.width() {
            room -= column.width() + 1;
            chosen.push(column);
        }
    }
    let shown = ORDER.into_iter().filter(|column| !column.is_optional() || chosen.contains(column));
    // Of what is left, half is the name's; addresses of IPv6 and what began a connection are long too.
    let more = |column: Column| match (column == Column::Name, column.is_an_address()) {
        (true, _) => room - room / 4 * 2,
        (false, true) => room / 4,
        (false, false) => 0,
    };
    shown.map(|column| (column, column.width() + more(column))).collect()
}

/// A cell that ends at the right.
pub fn number(text: &str, width: usize, look: Look) -> String {
    format!("{:>width$}", look.clip(text, width))
}

/// A cell that begins at the left.
pub fn words(text: &str, width: usize, look: Look) -> String {
    format!("{:<width$}", look.clip(text, width))
}
