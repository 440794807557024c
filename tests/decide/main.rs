//! Decisions and their explanations, one situation a test.

#![expect(clippy::unwrap_used, reason = "a test")]

mod decisions;
mod explanations;
mod limited;
mod scene;
mod standing;
