//! What decider tells without being asked: metrics as text, events in a file.
#![expect(clippy::unwrap_used, reason = "a test")]

mod event_file;
mod page;
mod record;
