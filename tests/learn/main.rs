//! `decider learn`: recorded decisions, captures, and the policies that are proposed of them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod captures;
mod events;
mod hostile;
mod merging;
#[path = "../replay/packets.rs"]
#[expect(dead_code, reason = "each program uses its part")]
mod packets;
#[path = "../replay/played.rs"]
#[expect(dead_code, reason = "each program uses its part")]
mod played;
mod properties;
mod proposed;
mod seeds;
mod stage;
#[path = "../replay/written.rs"]
#[expect(dead_code, reason = "each program uses its part")]
mod written;
