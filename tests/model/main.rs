//! The decision and the cache of names against a model of them that is as slow and as plain as the design's words.

#![expect(clippy::unwrap_used, reason = "a test")]

mod asked;
mod compared;
mod driven;
mod fast;
mod flows;
mod kernel_map;
mod messages;
mod real;
mod reference;
