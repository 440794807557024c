use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::clocked::Cost;
use crate::save::save;
use crate::world::Family;

/// All that was measured.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
    kept: Vec<Kept>,
}

/// What an operation costs, and under which circumstances.
pub struct Row {
    operation: &'static str,
    cost: Cost,
    family: Option<Family>,
    keys: &'static str,
    rules: Option<usize>,
    observations: Option<usize>,
    names: Option<usize>,
    threads: Option<usize>,
}

/// Bytes of what is kept.
#[derive(Clone, Copy)]
pub struct Bytes {
    /// By what the allocator was asked for.
    pub asked: f64,
    /// By what the process has in use.
    pub resident: f64,
}

struct Kept {
    what: &'static str,
    family: Option<Family>,
    count: usize,
    bytes: Bytes,
}

impl Row {
    pub fn of(operation: &'static str, cost: Cost) -> Self {
        let (family, rules, observations, names, threads) = (None, None, None, None, None);
        Self { operation, cost, family, keys: "", rules, observations, names, threads }
    }

    pub fn family(self, family: Family) -> Self {
        Self { family: Some(family), ..self }
    }

    /// Which addresses are looked up.
    pub fn keys(self, keys: &'static str) -> Self {
        Self { keys, ..self }
    }

    pub fn rules(self, rules: usize) -> Self {
        Self { rules: Some(rules), ..self }
    }

    pub fn observations(self, observations: usize) -> Self {
        Self { observations: Some(observations), ..self }
    }

    pub fn names(self, names: usize) -> Self {
        Self { names: Some(names), ..self }
    }

    pub fn threads(self, threads: usize) -> Self {
        Self { threads: Some(threads), ..self }
    }

    fn circumstances(&self) -> String {
        let counts = [
            (self.rules, "rules"),
            (self.observations, "observations"),
            (self.names, "names"),
            (self.threads, "threads"),
        ];
        let counts = counts.into_iter().filter_map(|(of, what)| of.map(|of| format!("{of} {what}")));
        let family = self.family.map(|family| family.name().to_owned());
        let keys = Some(self.keys.to_owned()).filter(|keys| !keys.is_empty());
        family.into_iter().chain(keys).chain(counts).collect::<Vec<_>>().join(", ")
    }

    fn json(&self) -> Value {
        let Cost { ns, spread: (least, most), allocations, bytes } = self.cost;
        json!({
            "operation": self.operation, "family": self.family.map(Family::name), "keys": self.keys,
            "rules": self.rules, "observations": self.observations, "names": self.names, "threads": self.threads,
            "ns": ns, "ns_least": least, "ns_most": most, "allocations": allocations, "allocated_bytes": bytes,
        })
    }
}

impl Report {
    pub fn add(&mut self, row: Row) {
        eprintln!("{}: {}: {}", row.operation, row.circumstances(), time(row.cost.ns));
        self.rows.push(row);
    }

    /// What each of `number` takes.
    pub fn keep(&mut self, what: &'static str, family: Option<Family>, number: usize, bytes: Bytes) {
        eprintln!("{what}: {:.0} bytes asked for, {:.0} in use", bytes.asked, bytes.resident);
        self.kept.push(Kept { what, family, count: number, bytes });
    }

    /// For people, in Markdown.
    pub fn tables(&self) -> String {
        let mut text = "| what | | time | quickest, slowest round | allocations |\n|---|---|---|---|---|\n".to_owned();
        for row in &self.rows {
            let (least, most) = row.cost.spread;
            let (what, where_, ns) = (row.operation, row.circumstances(), time(row.cost.ns));
            let allocations = row.cost.allocations;
            writeln!(text, "| {what} | {where_} | {ns} | {}, {} | {allocations:.1} |", time(least), time(most))
                .unwrap();
        }
        text.push_str(
            "\n| what is kept | | how many | bytes asked for, each | bytes in use, each |\n|---|---|---|---|---|\n",
        );
        for Kept { what, family, count, bytes } in &self.kept {
            let family = family.map_or("", Family::name);
            writeln!(text, "| {what} | {family} | {count} | {:.0} | {:.0} |", bytes.asked, bytes.resident).unwrap();
        }
        text
    }

    /// For programs: `target/bench/core.json`.
    pub fn write(&self) -> PathBuf {
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        let kept = |kept: &Kept| {
            json!({
                "what": kept.what, "family": kept.family.map(Family::name), "count": kept.count,
                "bytes": kept.bytes.asked, "resident_bytes": kept.bytes.resident,
            })
        };
        let kept: Vec<Value> = self.kept.iter().map(kept).collect();
        let processors = std::thread::available_parallelism().unwrap();
        save("core", &json!({ "bench": "core", "processors": processors, "rows": rows, "memory": kept }))
    }
}

fn time(ns: f64) -> String {
    if ns < 1e4 {
        format!("{ns:.0} ns")
    } else if ns < 1e7 {
        format!("{:.1} µs", ns / 1e3)
    } else {
        format!("{:.0} ms", ns / 1e6)
    }
}
