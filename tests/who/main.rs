//! Who of this host began a connection: real sockets of real processes, each test in a network namespace of its own that
//! ends with its thread.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod budget;
mod owners;
mod stage;
mod units;
