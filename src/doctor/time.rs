use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::Finding;

/// The clock, and what was written by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeFacts {
    /// What it says.
    pub now: Timestamp,
    /// The newest file that decider saved.
    pub newest_saved: Option<(PathBuf, Timestamp)>,
    /// Whether something keeps it right, if the system says so.
    pub synchronized: Option<bool>,
}

/// When this was written: no clock that is right says less.
const LEAST: i64 = 1_767_225_600;
/// Writing and looking are not one moment.
const SLACK: SignedDuration = SignedDuration::from_secs(5);

pub fn examine(facts: &TimeFacts) -> Finding {
    const NAME: &str = "time";
    const SET: &str = "timedatectl set-ntp true";
    if facts.now.as_second() < LEAST {
        return Finding::wrong(NAME, format!("the clock says {:.0}, which is long past", facts.now), SET);
    }
    if let Some((path, saved)) = &facts.newest_saved
        && saved.duration_since(facts.now) > SLACK
    {
        let ahead = SignedDuration::from_secs(saved.duration_since(facts.now).as_secs());
        return Finding::warn(
            NAME,
            format!("the clock was set back: {} was written {ahead:#} from now", path.display()),
            "decider down, and start it once the clock is right",
        );
    }
    match facts.synchronized {
        Some(false) => Finding::warn(NAME, "nothing keeps the clock right: it may jump, and names with it", SET),
        Some(true) => Finding::ok(NAME, "the clock is kept right"),
        None => Finding::ok(NAME, "the clock is plausible"),
    }
}
