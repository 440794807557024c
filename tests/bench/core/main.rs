//! What the parts of decider cost that need no kernel: nanoseconds, allocations and bytes. One after the other, alone, in one
//! process; each figure is the median of rounds, beside the least and the most.
//!
//! `make bench-core` runs it; `BENCH_QUICK=1` is short and says less.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

mod clocked;
mod decisions;
mod journals;
mod memory;
mod messages;
mod observing;
mod policies;
mod report;
mod resident;
#[path = "../save.rs"]
mod save;
mod together;
mod world;

use std::time::Instant;

use report::Report;
use world::Size;

fn main() {
    // What only builds or lists all targets also starts this; `cargo bench` says so.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let size = if std::env::var_os("BENCH_QUICK").is_some() { Size::QUICK } else { Size::FULL };
    if let Some(number) = std::env::var(memory::CASE).ok().and_then(|number| number.parse().ok()) {
        println!("{}", memory::answer(&size, number));
        return;
    }
    let began = Instant::now();
    let mut report = Report::default();
    memory::measure(&size, &mut report);
    messages::measure(&size, &mut report);
    decisions::measure(&size, &mut report);
    together::measure(&size, &mut report);
    observing::measure(&size, &mut report);
    policies::measure(&size, &mut report);
    journals::measure(&size, &mut report);
    println!("{}", report.tables());
    let path = report.write();
    println!("{:.0} s; {}", began.elapsed().as_secs_f64(), path.display());
}
