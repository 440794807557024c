//! What happened: decisions as events, counters, the ring of recent ones.

mod aggregate;
mod counters;
mod decision_log;
mod event;
mod recorder;
mod ring;

pub use counters::{Count, Counters, DnsOutcome, QueueCounters, Totals};
pub use event::{Event, PathTaken, Record};
pub use recorder::{Follower, Recorder, RecorderHandle};
pub use ring::Ring;
