use serde_json::{Value, json};

use super::Report;
use super::targets::targets;
use crate::figures::Of;
use crate::rounds::Cell;
use crate::world::Family;

/// What else there is of a figure: how it is called, and how it is read off a sample.
const FIGURES: [(&str, Of); 6] = [
    ("rate", |sample| sample.rate),
    ("p50_us", |sample| sample.p50),
    ("p99_us", |sample| sample.p99),
    ("p999_us", |sample| sample.p999),
    ("cpu_us_per_connection", |sample| sample.cpu),
    ("all_cpu_us_per_connection", |sample| sample.all_cpu),
];

/// For programs. Each figure is the median over the rounds; `_q1` and `_q3` are the quartiles.
pub fn summary(report: &Report) -> Value {
    let sweeps = report.sweeps.iter().flat_map(|(name, cells)| {
        cells.iter().map(move |cell| {
            let mut row = row(cell, cells);
            row["sweep"] = json!(name);
            row
        })
    });
    let targets: Vec<Value> = targets(report)
        .into_iter()
        .map(|target| json!({ "what": target.what, "wanted": target.wanted, "found": target.found, "met": target.met }))
        .collect();
    json!({
        "bench": "connections",
        "rounds": report.effort.rounds,
        "seconds_a_round": report.effort.time.as_secs_f64(),
        "processors": std::thread::available_parallelism().map_or(1, usize::from),
        "rows": report.rows.iter().map(|cell| row(cell, &report.rows)).collect::<Vec<_>>(),
        "sweeps": sweeps.collect::<Vec<_>>(),
        "start_s": report.starts,
        "start_with_saved": { "observations": report.starts_with_saved.0, "seconds": report.starts_with_saved.1 },
        "reload_s": report.reloads,
        "waited_us": report.waited,
        "fast_by_kernel": report.by_kernel[0],
        "fast_by_queue": report.by_kernel[1],
        "targets": targets,
    })
}

fn row(cell: &Cell, beside: &[Cell]) -> Value {
    let Cell { size, family, in_flight, samples } = cell;
    let mut row = json!({
        "path": size.path.name(),
        "in_flight": in_flight,
        "family": match family { Family::V4 => "v4", Family::V6 => "v6" },
        "waits_for": if size.path.waits_for_server() { "first byte" } else { "handshake" },
        "rounds": samples.len(),
        "connections": samples.iter().map(|sample| sample.connections).sum::<usize>(),
        "failed": cell.total(|sample| sample.failed),
        "syn_retransmits": cell.total(|sample| sample.syn_retransmits),
        "queue_drops": cell.total(|sample| sample.queue_drops),
        "rates": samples.iter().map(|sample| sample.rate).collect::<Vec<_>>(),
    });
    if size.path.is_decider() {
        row["rules"] = json!(size.rules);
    }
    if size.path.knows() {
        row["observations"] = json!(size.observations);
    }
    for (name, of) in FIGURES {
        let spread = cell.spread(of);
        (row[name], row[format!("{name}_q1")], row[format!("{name}_q3")]) =
            (json!(spread.median), json!(spread.low), json!(spread.high));
    }
    if let Some(base) = super::text::base(cell, beside) {
        row["to"] = json!(base.size.path.name());
        row["rate_ratio"] = json!(cell.ratio(base, |sample| sample.rate).median);
        row["p50_ratio"] = json!(cell.ratio(base, |sample| sample.p50).median);
    }
    row
}
