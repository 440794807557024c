use std::fmt::Write;

use super::table::Table;
use super::targets::targets;
use super::{Report, steps};
use crate::figures::{Of, Spread, cell};
use crate::path::Path;
use crate::rounds::Cell;

/// What a path is compared with.
pub fn base<'c>(of: &Cell, cells: &'c [Cell]) -> Option<&'c Cell> {
    let path = match of.size.path {
        Path::None | Path::NftSet | Path::DnatEnvoy => return None,
        Path::QueueC | Path::QueueNfq | Path::Nfq | Path::Batched => Path::QueueC,
        Path::Fast => Path::NftSet,
        Path::Envoy => Path::DnatEnvoy,
    };
    let as_large = |cell: &&Cell| {
        (cell.size.path, cell.in_flight, cell.size.observations) == (path, of.in_flight, of.size.observations)
    };
    Some(cells.iter().find(as_large).unwrap_or_else(|| cell(cells, path, of.in_flight)))
}

/// For people: as it is on the terminal, and as it can stand in the documents.
pub fn markdown(report: &Report) -> String {
    let mut text = String::new();
    let time = report.effort.time.as_millis();
    let rounds = report.effort.rounds;
    writeln!(text, "{rounds} rounds of {time} ms each; medians, and quartiles after a rate.\n").unwrap();
    writeln!(text, "{}", cells(&report.rows, false)).unwrap();
    let [by_kernel, by_queue] = report.by_kernel.map(grouped);
    writeln!(text, "On `fast` the kernel let {by_kernel} connections through by itself; {by_queue} went to a queue.\n")
        .unwrap();
    let mut table = Table::new(&["target", "wanted", "found", "met"]);
    for target in targets(report) {
        let met = if target.met { "met" } else { "not met" };
        table.row(vec![target.what, target.wanted, target.found, met.to_owned()]);
    }
    writeln!(text, "{table}\n{}", steps::table(report)).unwrap();
    if let Some(waited) = report.waited {
        writeln!(text, "Of that, a SYN waits for its verdict {waited} us once decider has it (median of events).\n")
            .unwrap();
    }
    for (name, swept) in &report.sweeps {
        let differ = swept
            .iter()
            .any(|cell| cell.size.rules != swept[0].size.rules || cell.size.observations != swept[0].size.observations);
        writeln!(text, "{name}:\n\n{}", cells(swept, differ)).unwrap();
    }
    writeln!(text, "{}", changes(report)).unwrap();
    text
}

fn cells(cells: &[Cell], with_sizes: bool) -> Table {
    let mut head = vec!["path", "in flight"];
    if with_sizes {
        head.extend(["rules", "observations"]);
    }
    head.extend([
        "connections/s",
        "quartiles",
        "ratio",
        "p50 us",
        "p99 us",
        "p99.9 us",
        "sent again",
        "dropped",
        "CPU us",
        "all CPU us",
    ]);
    let mut table = Table::new(&head);
    for cell in cells {
        let mut row = vec![format!("`{}`", cell.size.path.name()), grouped(cell.in_flight)];
        if with_sizes {
            let Cell { size, .. } = cell;
            let rules = if size.path.is_decider() { grouped(size.rules) } else { "-".to_owned() };
            let observations = if size.path.knows() { grouped(size.observations) } else { "-".to_owned() };
            row.extend([rules, observations]);
        }
        let rate = cell.spread(|sample| sample.rate);
        row.extend([grouped(rate.median), format!("{} - {}", grouped(rate.low), grouped(rate.high))]);
        let ratio = base(cell, cells).map(|base| format!("{:.2}", cell.ratio(base, |sample| sample.rate).median));
        row.push(ratio.unwrap_or_default());
        let micros: [Of; 3] = [|sample| sample.p50, |sample| sample.p99, |sample| sample.p999];
        row.extend(micros.map(|of| cell.spread(of).median).map(|micros| format!("{micros:.0}")));
        row.extend([cell.total(|sample| sample.syn_retransmits), cell.total(|sample| sample.queue_drops)].map(grouped));
        let cpu: [Of; 2] = [|sample| sample.cpu, |sample| sample.all_cpu];
        row.extend(cpu.map(|of| format!("{:.1}", cell.spread(of).median)));
        table.row(row);
    }
    table
}

fn changes(report: &Report) -> Table {
    let mut table = Table::new(&["until all is in force", "times", "median s", "longest s"]);
    let (saved, starts_with_saved) = &report.starts_with_saved;
    for (what, seconds) in [
        ("start with 10,000 rules", &report.starts),
        (&format!("the same with {} saved observations", grouped(*saved)), starts_with_saved),
        ("reload of 10,000 rules, one of them another", &report.reloads),
    ] {
        let longest = seconds.iter().copied().fold(f64::NAN, f64::max);
        let row = [Spread::of(seconds.clone()).median, longest].map(|seconds| format!("{seconds:.2}"));
        table.row([what.to_owned(), grouped(seconds.len())].into_iter().chain(row).collect());
    }
    table
}

/// A whole number with a comma for each thousand.
fn grouped(number: impl Into<Number>) -> String {
    let digits = number.into().0;
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(",")
}

/// Its digits.
struct Number(String);

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self(format!("{number:.0}"))
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl From<usize> for Number {
    fn from(number: usize) -> Self {
        Self(number.to_string())
    }
}
