//! How much longer a DNS question takes: without a firewall, with dnsmasq in front, with decider in between. All of them
//! stand side by side and are asked in turn, so that whatever the machine does beside it hits each of them.
//!
//! `make bench-dns` runs it; `BENCH_QUICK=1` asks less often. Needs what `tests/netns` needs.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a measurement")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

mod fixed;
mod lookup;
#[path = "../percentiles.rs"]
mod percentiles;
mod report;
#[path = "../save.rs"]
mod save;
mod way;
#[expect(dead_code, unused_imports, reason = "more than this needs: it belongs to tests/netns")]
#[path = "../../netns/world/mod.rs"]
mod world;

use std::time::Instant;

use lookup::{Lookup, Transport};
use report::{Cell, Report};
use way::{Setting, Way};
use world::Family;

/// How much is asked.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    /// Questions of a round, of each kind.
    questions: usize,
}

const FULL: Effort = Effort { rounds: 60, questions: 500 };
const QUICK: Effort = Effort { rounds: 10, questions: 200 };
/// Questions before anything counts.
const WARM_UP: usize = 200;

fn main() {
    // What only builds or lists all targets also starts this; `cargo bench` says so.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let effort = if std::env::var_os("BENCH_QUICK").is_some() { QUICK } else { FULL };
    let began = Instant::now();
    let settings = Way::ALL.map(Setting::build);
    let mut cells = measure(&settings, effort);
    for cell in &mut cells {
        cell.times.sort_unstable();
    }
    let report = Report { cells, rounds: effort.rounds };
    println!("{}", report.table());
    let path = report.write();
    println!("{:.0} s; {}", began.elapsed().as_secs_f64(), path.display());
}

/// Each round asks each kind of each way, beginning with another way every time.
fn measure(settings: &[Setting], effort: Effort) -> Vec<Cell> {
    let mut lanes: Vec<(Lookup, Cell)> = settings.iter().flat_map(lanes_of).collect();
    for (lookup, _) in &mut lanes {
        lookup.times(WARM_UP);
    }
    for round in 0..effort.rounds {
        let count = lanes.len();
        for index in 0..count {
            let (lookup, cell) = &mut lanes[(index + round) % count];
            let times = lookup.times(effort.questions / cell.transport.share());
            cell.lost += times.iter().filter(|time| time.is_none()).count();
            cell.times.extend(times.into_iter().flatten());
        }
    }
    lanes.into_iter().map(|(_, cell)| cell).collect()
}

fn lanes_of(setting: &Setting) -> Vec<(Lookup, Cell)> {
    let kinds = Transport::ALL.iter().flat_map(|&transport| Family::BOTH.map(|family| (transport, family)));
    let lane = |(transport, family)| {
        let cell = Cell { way: setting.way, transport, family, times: vec![], lost: 0 };
        (Lookup::new(setting, transport, family), cell)
    };
    kinds.map(lane).collect()
}
