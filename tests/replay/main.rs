//! `decider replay`: captures made here, byte for byte, and what is decided of them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod command;
mod decisions;
mod files;
mod over_tcp;
mod packets;
mod played;
mod written;
