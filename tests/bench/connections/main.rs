//! What a firewall costs a connection: without one, with a set of nftables, with queues and programs that accept everything,
//! with decider by each of its ways, and with Envoy behind address translation or behind decider. All of them stand side by
//! side and are measured in turn, round by round, so that whatever the machine does beside it hits each of them.
//!
//! `make bench` runs it; `BENCH_QUICK=1` is short. Needs what `tests/netns` needs, and a C library.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a measurement")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

mod accept_all;
mod ask;
mod changes;
mod figures;
mod listener;
mod load;
mod names;
mod path;
#[path = "../percentiles.rs"]
#[expect(dead_code, reason = "these rows have columns of their own")]
mod percentiles;
mod report;
mod rivals;
mod rounds;
mod sample;
#[path = "../save.rs"]
mod save;
mod saved;
mod setting;
mod stand_in;
mod stop;
#[expect(dead_code, unused_imports, reason = "more than this needs: it belongs to tests/netns")]
#[path = "../../netns/world/mod.rs"]
mod world;

use std::time::{Duration, Instant};

use path::Path;
use report::{Report, markdown, plot, summary};
use rounds::{Effort, measure};
use save::{save, save_text};
use setting::{Setting, Size};
use world::Family;

/// What is done.
#[derive(Clone, Copy)]
struct Extent {
    /// Rounds of what counts most.
    effort: Effort,
    /// Rounds of what is measured beside.
    beside: Effort,
    reloads: usize,
    /// Of the observations: few and very many.
    observations: [usize; 2],
}

const FULL: Extent =
    Extent { effort: effort(12, 500), beside: effort(5, 500), reloads: 7, observations: [1_000, 1_000_000] };
const QUICK: Extent =
    Extent { effort: effort(2, 200), beside: effort(1, 200), reloads: 3, observations: [1_000, 100_000] };

/// Of rules and of observations, where nothing else is said.
const MANY: usize = 10_000;

const fn effort(rounds: usize, millis: u64) -> Effort {
    Effort { rounds, time: Duration::from_millis(millis) }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, number] = &arguments[..]
        && word == accept_all::WORD
    {
        accept_all::run(number.parse().unwrap());
    }
    // What only builds or lists all targets also starts this; `cargo bench` says so.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    stop::on_request();
    let began = Instant::now();
    let report = run(if std::env::var_os("BENCH_QUICK").is_some() { QUICK } else { FULL });
    let text = markdown(&report);
    println!("{text}");
    save_text("summary.md", &text);
    save_text("connections.svg", &plot(&report));
    let path = save("summary", &summary(&report));
    println!("{:.0} s; {}", began.elapsed().as_secs_f64(), path.display());
}

fn run(extent: Extent) -> Report {
    let Extent { effort, beside, reloads, observations: sizes } = extent;
    let settings = Path::ALL.map(|path| build(path, MANY, MANY));
    let all: Vec<&Setting> = settings.iter().collect();
    let of = |path: Path| settings.iter().find(|setting| setting.size.path == path).unwrap();
    let (batched, fast) = (of(Path::Batched), of(Path::Fast));
    let before = fast.decided();
    let rows = measure("all paths", &all, Family::V4, &[1, 8, 64, 1_000], effort);
    let after = fast.decided();
    measure("waits", &[batched], Family::V4, &[1], effort_of_one(effort));
    let waited = changes::waited(batched);
    for setting in &all {
        setting.learn(Family::V6);
    }
    let by_family = measure("IPv6", &all, Family::V6, &[1, 8, 64], beside);
    let reloads = changes::reloads(batched, reloads);
    // What has 10,000 of both is measured again beside the others.
    let again = |paths: &[Path]| all.iter().copied().filter(|setting| paths.contains(&setting.size.path)).collect();
    let paths = [Path::Batched, Path::Fast];
    let rules: Vec<Setting> =
        [10, 1_000].iter().flat_map(|&rules| paths.map(|path| build(path, rules, MANY))).collect();
    let mut lanes: Vec<&Setting> = again(&[Path::NftSet, Path::QueueC, Path::Batched, Path::Fast]);
    lanes.extend(&rules);
    let by_rules = measure("rules", &lanes, Family::V4, &[1, 64], beside);
    drop(rules);
    let paths = [Path::NftSet, Path::Batched, Path::Fast];
    let observations: Vec<Setting> =
        sizes.iter().flat_map(|&observations| paths.map(|path| build(path, MANY, observations))).collect();
    let mut lanes: Vec<&Setting> = again(&[Path::NftSet, Path::QueueC, Path::Batched, Path::Fast]);
    lanes.extend(&observations);
    let by_observations = measure("observations", &lanes, Family::V4, &[1, 64], beside);
    let starts = |settings: &[Setting], observations: usize| {
        let those = settings.iter().filter(|setting| setting.size.observations == observations);
        // Envoy's own start is another thing.
        let those = those.filter(|setting| setting.size.path != Path::Envoy);
        those.filter_map(|setting| setting.start).map(|start| start.as_secs_f64()).collect()
    };
    Report {
        effort,
        rows,
        sweeps: vec![("IPv6", by_family), ("Rules", by_rules), ("Observations", by_observations)],
        starts: starts(&settings, MANY),
        starts_with_saved: (sizes[1], starts(&observations, sizes[1])),
        reloads,
        waited,
        by_kernel: [0, 1].map(|way| after[way] - before[way]),
    }
}

fn build(path: Path, rules: usize, observations: usize) -> Setting {
    stop::if_asked();
    eprintln!("{}: {rules} rules, {observations} observations", path.name());
    Setting::build(Size { path, rules, observations })
}

fn effort_of_one(effort: Effort) -> Effort {
    Effort { rounds: 1, ..effort }
}
