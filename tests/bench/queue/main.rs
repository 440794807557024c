//! What a queue costs a connection, and what decider adds: without one, with programs that accept everything, and with
//! decider by both of its backends. All of them stand side by side and are measured in turn, round by round, so that
//! whatever the machine does beside it hits each of them.
//!
//! `make bench-queue` runs it; `BENCH_QUICK=1` is short. Needs what `tests/netns` needs, and a C library.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a measurement")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

mod load;
mod path;
#[path = "../percentiles.rs"]
#[expect(dead_code, reason = "these rows have columns of their own")]
mod percentiles;
mod report;
#[path = "../save.rs"]
mod save;
mod sink;
#[expect(dead_code, unused_imports, reason = "more than this needs: it belongs to tests/netns")]
#[path = "../../netns/world/mod.rs"]
mod world;

use std::time::{Duration, Instant};

use load::Load;
use path::{Path, Setting};
use report::{Cell, Report};
use world::{Family, STRANGER};

/// Rounds, and how long a path is measured in each.
const FULL: (usize, Duration) = (15, Duration::from_secs(1));
const QUICK: (usize, Duration) = (3, Duration::from_millis(500));
/// Connections at a time.
const IN_FLIGHT: [usize; 3] = [1, 8, 64];

/// The word by which this program is one that accepts every packet of a queue, whose number follows.
const ACCEPT_ALL: &str = "accept-all";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, number] = &arguments[..]
        && word == ACCEPT_ALL
    {
        accept_all(number.parse().unwrap());
    }
    // What only builds or lists all targets also starts this; `cargo bench` says so.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let effort = if std::env::var_os("BENCH_QUICK").is_some() { QUICK } else { FULL };
    let began = Instant::now();
    let settings = Path::ALL.map(Setting::build);
    let report = Report { cells: measure(&settings, effort) };
    println!("{}", report.table());
    let path = report.write();
    println!("{:.0} s; {}", began.elapsed().as_secs_f64(), path.display());
}

/// Each round measures each path, beginning with another one every time.
fn measure(settings: &[Setting], (rounds, time): (usize, Duration)) -> Vec<Cell> {
    let mut cells = Vec::new();
    for in_flight in IN_FLIGHT {
        let mut lanes: Vec<Cell> =
            settings.iter().map(|setting| Cell { path: setting.path, in_flight, rounds: vec![] }).collect();
        for round in 0..=rounds {
            for index in 0..lanes.len() {
                let index = (index + round) % lanes.len();
                let (setting, lane) = (&settings[index], &mut lanes[index]);
                let to = (STRANGER.of(Family::V4), 22).into();
                let measured = Load::run(&setting.world.clients[0].namespace, to, in_flight, time);
                // The first round is there to warm up.
                if round > 0 {
                    lane.rounds.push(measured);
                }
            }
        }
        cells.extend(lanes);
    }
    cells
}

/// Never returns.
fn accept_all(number: u16) {
    let mut queue = nfq::Queue::open().unwrap();
    queue.bind(number).unwrap();
    queue.set_copy_range(number, 128).unwrap();
    queue.set_queue_max_len(number, 16_384).unwrap();
    println!("ready");
    loop {
        let mut held = queue.recv().unwrap();
        held.set_verdict(nfq::Verdict::Accept);
        queue.verdict(held).unwrap();
    }
}
