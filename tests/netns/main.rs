//! End to end, on the real kernel: clients, a gateway with decider and a real Envoy, and a little internet, each in a
//! network namespace of its own. Every scenario watches the far side too: a client's error says nothing of what got out.
//!
//! Needs root, and Envoy: `DECIDER_ENVOY`, or what `tests/setup` puts into `.deps`.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![expect(clippy::disallowed_methods, reason = "tests measure time themselves")]

// The attacks feed workers with it, too.
#[path = "../messages/mod.rs"]
#[expect(dead_code, reason = "each program uses its part")]
mod messages;
mod scenarios;
#[path = "../cli/tmux.rs"]
mod tmux;
mod world;

use world::Family;
