use super::Report;
use crate::figures::{Of, Spread, cell};
use crate::path::Path;
use crate::sample::Sample;

/// What is wanted, and what was found.
pub struct Target {
    pub what: String,
    pub wanted: String,
    pub found: String,
    pub met: bool,
}

/// What is counted over a sample.
type Count = fn(&Sample) -> u64;

const RATE: Of = |sample| sample.rate;
const P50: Of = |sample| sample.p50;

/// Those of the targets that this measures. Ratios are medians of each round's own.
pub fn targets(report: &Report) -> Vec<Target> {
    let ratio = |own: Path, other: Path, in_flight: usize, of: Of| {
        cell(&report.rows, own, in_flight).ratio(cell(&report.rows, other, in_flight), of)
    };
    let at_least = |own: Path, other: Path, in_flight: usize, wanted: f64| {
        let found = ratio(own, other, in_flight, RATE);
        let what = format!("{} / {}, rate at {in_flight}", own.name(), other.name());
        Target { what, wanted: format!(">= {wanted:.2}"), found: shown(found), met: found.median >= wanted }
    };
    let p50 = ratio(Path::Fast, Path::NftSet, 1, P50);
    let mut all: Vec<Target> = [1, 8, 64].map(|in_flight| at_least(Path::Fast, Path::NftSet, in_flight, 0.97)).into();
    all.push(Target {
        what: "fast / nftset, p50 at 1".to_owned(),
        wanted: "<= 1.05".to_owned(),
        found: shown(p50),
        met: p50.median <= 1.05,
    });
    all.push(at_least(Path::Batched, Path::QueueC, 1, 1.0));
    all.push(at_least(Path::Batched, Path::QueueC, 64, 1.25));
    all.push(at_least(Path::Envoy, Path::DnatEnvoy, 8, 0.97));
    all.extend([Path::Batched, Path::Fast, Path::Envoy].map(|path| nothing_lost(report, path)));
    all.push(reload(&report.reloads));
    all
}

fn nothing_lost(report: &Report, path: Path) -> Target {
    let cell = cell(&report.rows, path, 1_000);
    let of: [(&str, Count); 3] = [
        ("SYNs sent again", |sample| sample.syn_retransmits),
        ("packets dropped by a queue", |sample| sample.queue_drops),
        ("connections failed", |sample| sample.failed),
    ];
    let found = of.map(|(what, of)| (cell.total(of), what));
    Target {
        what: format!("{}, 1,000 in flight", path.name()),
        wanted: "nothing lost".to_owned(),
        found: found.map(|(count, what)| format!("{count} {what}")).join(", "),
        met: found.iter().all(|(count, _)| *count == 0),
    }
}

fn reload(reloads: &[f64]) -> Target {
    let found = Spread::of(reloads.to_vec());
    Target {
        what: "reload of 10,000 rules".to_owned(),
        wanted: "<= 1 s".to_owned(),
        found: format!("{:.2} s", found.median),
        met: found.median <= 1.0,
    }
}

fn shown(found: Spread) -> String {
    format!("{:.2} ({:.2} to {:.2})", found.median, found.low, found.high)
}
