//! `decider top` without a terminal: what keys and events make of its state, and each screen as text.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod keys;
mod panic;
mod scene;
mod screens;
mod svg;
#[path = "../cli/tmux.rs"]
mod tmux;
