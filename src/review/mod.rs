//! Recorded decisions, decided again by another policy: as far as an event says what they were made of.

mod changes;
mod judge;

pub use changes::{Change, Changes};
pub use judge::{Judgement, judge};
