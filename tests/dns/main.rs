//! What is remembered of names: the journal's format, what is taken from it, and what it costs.

#![expect(clippy::unwrap_used, reason = "a test")]

mod belief;
mod consistency;
mod flows;
mod holds;
mod journal;
mod pending;
mod renewal;
mod shares;
mod trail;
