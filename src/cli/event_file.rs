use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use crate::control::EventLine;
use crate::record::Event;

use super::failure::Failure;

/// Bytes of a line; an event takes some hundred.
const LONGEST_LINE: u64 = 65_536;

/// A line as `events --json` and `replay --json` print it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Event(Box<Event>),
    /// How many events a slow reader missed.
    Gap {
        #[serde(rename = "gap")]
        missed: u64,
    },
    /// The end of a replay.
    Summary {
        #[serde(rename = "summary")]
        _totals: serde::de::IgnoredAny,
    },
}

/// Why a file of events cannot be read on.
pub enum Unread {
    /// The system's answer.
    System(io::Error),
    /// This line, counted from 1, is no event.
    Line(u64, serde_json::Error),
}

/// Gives what is in a file to `take`, one after the other.
pub fn each(path: &Path, mut take: impl FnMut(EventLine)) -> Result<(), Unread> {
    let mut file = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        match serde_json::from_slice(&line).map_err(|error| Unread::Line(number, error))? {
            Line::Event(event) => take(EventLine::Event(event)),
            Line::Gap { missed } => take(EventLine::Gap(missed)),
            Line::Summary { .. } => {}
        }
    }
    Ok(())
}

impl Unread {
    /// The failure of a command that wanted this file.
    pub fn failure(&self, file: &Path) -> Failure {
        match self {
            Self::System(error) => Failure::file("read the events", file, error),
            Self::Line(number, _) => Failure::usage(format!("{}, line {number}: this is no event", file.display()))
                .with_help("write such a file with `decider events --json`"),
        }
    }
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}
