//! The format in which observations outlive a restart: lines of text, each with a checksum.
//!
//! ```text
//! 1c291ca3 decider-observations 1 2f9c0c52-76f5-4d0a-9a3c-1d3f7f6c5c01 1700000000000000000
//! 8d0f6a11 192.0.2.10 10.77.1.2 github.com 5400000000 95400000000 60
//! ```
//!
//! The header says in which boot the times of all lines were taken, and how far the wall clock was ahead of them. Within
//! the same boot they are good as they are; after a reboot they are carried over by the wall clock. A header may stand
//! there again, when the wall clock was set: the last one counts.
//!
//! What cannot be read is skipped and counted. Nothing here is believed: [`Observations::restore`] asks for that.
//!
//! [`Observations::restore`]: super::Observations::restore

mod header;
mod line;
mod reader;

pub use header::{Header, encode_header};
pub use line::{MAX_LINE, encode};
pub use reader::{Reader, Saved, read};
