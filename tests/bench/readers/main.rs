//! Whether a packet waits for those who read events: ten thousand connections a second, each an event of its own, without a
//! reader and with ten, one of which has stopped to read. Rounds of both alternate, so that whatever the machine does beside
//! it hits both.
//!
//! `make bench-readers` runs it; `BENCH_QUICK=1` is short. Needs what `tests/netns` needs.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a measurement")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

mod load;
#[path = "../percentiles.rs"]
mod percentiles;
mod reader;
mod report;
mod round;
#[path = "../save.rs"]
mod save;
#[expect(dead_code, unused_imports, reason = "more than this needs: it belongs to tests/netns")]
#[path = "../../netns/world/mod.rs"]
mod world;

use std::time::{Duration, Instant};

use load::Load;
use report::Report;
use round::Round;
use world::Setup;

/// Rounds of each kind, and how long one is.
const FULL: (usize, Duration) = (10, Duration::from_secs(4));
const QUICK: (usize, Duration) = (2, Duration::from_secs(2));
/// With readers; the last of them does not read.
const READERS: usize = 10;

fn main() {
    // What only builds or lists all targets also starts this; `cargo bench` says so.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let (rounds, time) = if std::env::var_os("BENCH_QUICK").is_some() { QUICK } else { FULL };
    let began = Instant::now();
    let world = Setup::default().start();
    let mut load = Load::new(&world.clients[0]);
    // Before anything counts.
    Round::run(&world, &mut load, 0, time);
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        without.push(Round::run(&world, &mut load, 0, time));
        with.push(Round::run(&world, &mut load, READERS, time));
    }
    assert_eq!(world.internet.wire.leaked(), [], "something got out");
    let report = Report { without, with };
    println!("{}", report.table());
    let path = report.write();
    println!("{:.0} s; {}", began.elapsed().as_secs_f64(), path.display());
}
