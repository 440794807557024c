use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

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
        _missed: u64,
    },
    /// The end of a replay.
    Summary {
        #[serde(rename = "summary")]
        _totals: serde::de::IgnoredAny,
    },
}

/// Gives the events of a file to `take`, one after the other.
pub fn each(path: &Path, mut take: impl FnMut(&Event)) -> Result<(), Failure> {
    let failed = |error: &std::io::Error| Failure::file("read the events", path, error);
    let mut file = BufReader::new(File::open(path).map_err(|error| failed(&error))?);
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let length = file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(|error| failed(&error))?;
        if length == 0 {
            break;
        }
        match serde_json::from_slice(&line) {
            Ok(Line::Event(event)) => take(&event),
            Ok(Line::Gap { .. } | Line::Summary { .. }) => {}
            Err(_) => {
                let message = format!("{}, line {number}: this is no event", path.display());
                return Err(Failure::usage(message).with_help("write such a file with `decider events --json`"));
            }
        }
    }
    Ok(())
}
