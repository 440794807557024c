//! What was measured: as tables, for programs, as a plot.

mod json;
mod plot;
mod steps;
mod table;
mod targets;
mod text;

pub use json::summary;
pub use plot::plot;
pub use text::markdown;

use crate::rounds::{Cell, Effort};

/// All that was measured.
pub struct Report {
    pub effort: Effort,
    /// 10,000 rules, 10,000 observations, IPv4.
    pub rows: Vec<Cell>,
    /// What was measured beside, by what is another thing in it.
    pub sweeps: Vec<(&'static str, Vec<Cell>)>,
    /// Starts with 10,000 rules, in seconds until all was in force.
    pub starts: Vec<f64>,
    /// The same with so many observations that were saved.
    pub starts_with_saved: (usize, Vec<f64>),
    /// Reloads of 10,000 rules with one change, likewise.
    pub reloads: Vec<f64>,
    /// What a SYN waits for its verdict once decider has it, in microseconds, as events say it.
    pub waited: Option<u64>,
    /// Connections on the path `fast` that the kernel let through by itself, and those that went to a queue.
    pub by_kernel: [u64; 2],
}
