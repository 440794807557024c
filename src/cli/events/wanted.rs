use jiff::{Timestamp, ZonedDateTime};

use crate::cli::args::Events;
use crate::cli::failure::Failure;
use crate::clock;
use crate::filter::{Fields, Filter, since};
use crate::record::Event;

/// How many of the past are shown where nothing is chosen.
const LAST: usize = 100;

/// Which events are asked for.
pub struct Wanted {
    filter: Filter,
    since: Option<Timestamp>,
    last: Option<usize>,
}

impl Wanted {
    pub fn read(args: &Events) -> Result<Self, Failure> {
        let filter = Filter::parse(&args.filter.join(" ")).map_err(|error| Failure::usage(error.to_string()))?;
        let moment = args.since.as_deref().map(|text| since(text, &now()));
        let since = moment.transpose().map_err(|error| Failure::usage(format!("--since: {error}")))?;
        Ok(Self { filter, since, last: args.last })
    }

    /// How many of the past are wanted, if nothing is chosen among them.
    pub fn plain(&self) -> Option<usize> {
        (self.filter.is_empty() && self.since.is_none()).then(|| self.last.unwrap_or(LAST))
    }

    pub fn fits(&self, event: &Event) -> bool {
        self.since.is_none_or(|since| event.ts >= since) && self.filter.matches(&Fields::from(event))
    }

    /// The last of those that fit, oldest first.
    pub fn of_the_past<'e>(&self, past: &'e [Event]) -> impl Iterator<Item = &'e Event> {
        let fitting: Vec<&Event> = past.iter().filter(|event| self.fits(event)).collect();
        let skipped = self.last.map_or(0, |last| fitting.len().saturating_sub(last));
        fitting.into_iter().skip(skipped)
    }
}

/// By this host's clock, in its zone.
pub fn now() -> ZonedDateTime {
    let now = Timestamp::try_from(clock::wall()).unwrap_or_default();
    now.to_zoned_datetime(jiff::tz::TimeZone::system())
}

/// What a stream that begins with the past has to be rid of.
pub struct Seen {
    last: Option<Event>,
    left: usize,
}

impl Seen {
    /// What has been seen, oldest first.
    pub fn new(mut past: Vec<Event>) -> Self {
        Self { left: past.len(), last: past.pop() }
    }

    /// Whether this one, the next of the stream, was among them. Some may be gone from the stream's past, the oldest first.
    pub fn has(&mut self, event: &Event) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        if self.last.as_ref() == Some(event) {
            self.left = 0;
        }
        true
    }
}
