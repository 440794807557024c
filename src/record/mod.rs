//! What happened: decisions as events, counters, the ring of recent ones.

mod aggregate;
mod counters;
mod decision_log;
mod event;
mod export;
mod recorder;
mod ring;
mod rotating_file;
mod tally;
mod throttle;

pub use counters::{Count, Counters, DnsOutcome, QueueCounters, Totals};
pub use event::{Event, PathTaken, Record};
pub use export::{Export, ExportState};
pub use recorder::{Follower, Recorder, RecorderHandle};
pub use ring::Ring;
pub use rotating_file::{RotatingFile, Rotation};
pub use tally::{Kind, Tally, Waits};
pub use throttle::{Throttle, Told};
