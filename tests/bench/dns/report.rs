use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::lookup::Transport;
use crate::percentiles::{SHOWN, micros};
use crate::save::save;
use crate::way::Way;
use crate::world::Family;

/// All times of one kind of question on one way.
pub struct Cell {
    pub way: Way,
    pub transport: Transport,
    pub family: Family,
    /// In ascending order, once all is done.
    pub times: Vec<Duration>,
    pub lost: usize,
}

pub struct Report {
    pub cells: Vec<Cell>,
    pub rounds: usize,
}

impl Report {
    /// For people.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for &transport in Transport::ALL {
            for family in Family::BOTH {
                let asked = format!("{} {}", transport.name(), word(family));
                write!(text, "\n{asked:<14}").unwrap();
                for (_, name) in SHOWN {
                    write!(text, "{:>9}{:>9}{:>9}", format!("{name} us"), "/plain", "/dnsmasq").unwrap();
                }
                text.push('\n');
                for way in Way::ALL {
                    self.row(self.cell(way, transport, family), &mut text);
                }
            }
        }
        text
    }

    fn row(&self, cell: &Cell, text: &mut String) {
        write!(text, "{:<14}", cell.way.name()).unwrap();
        for (thousandths, _) in SHOWN {
            let ratio =
                |other| self.ratio(cell, other, thousandths).map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
            let time = micros(&cell.times, thousandths).map_or("-".to_owned(), |micros| format!("{micros:.1}"));
            write!(text, "{time:>9}{:>9}{:>9}", ratio(Way::Plain), ratio(Way::Dnsmasq)).unwrap();
        }
        let lost = if cell.lost > 0 { format!("   {} lost", cell.lost) } else { String::new() };
        writeln!(text, "{lost}").unwrap();
    }

    /// How many times as long as another way took.
    fn ratio(&self, cell: &Cell, other: Way, thousandths: usize) -> Option<f64> {
        let other = self.cell(other, cell.transport, cell.family);
        Some(micros(&cell.times, thousandths)? / micros(&other.times, thousandths)?)
    }

    fn cell(&self, way: Way, transport: Transport, family: Family) -> &Cell {
        let is_it = |cell: &&Cell| (cell.way, cell.transport, cell.family) == (way, transport, family);
        self.cells.iter().find(is_it).expect("each was measured")
    }

    /// For programs: `target/bench/dns.json`.
    pub fn write(&self) -> PathBuf {
        let cells: Vec<Value> = self.cells.iter().map(|cell| self.json(cell)).collect();
        let processors = std::thread::available_parallelism().unwrap();
        let all = json!({ "bench": "dns", "processors": processors, "rounds": self.rounds, "cells": cells });
        save("dns", &all)
    }

    fn json(&self, cell: &Cell) -> Value {
        let each = |value: &dyn Fn(usize) -> Option<f64>| -> Map<String, Value> {
            SHOWN.iter().map(|&(thousandths, name)| (name.to_owned(), json!(value(thousandths)))).collect()
        };
        json!({
            "way": cell.way.name(),
            "transport": cell.transport.name(),
            "family": word(cell.family),
            "answered": cell.times.len(),
            "lost": cell.lost,
            "micros": each(&|thousandths| micros(&cell.times, thousandths)),
            "to_plain": each(&|thousandths| self.ratio(cell, Way::Plain, thousandths)),
            "to_dnsmasq": each(&|thousandths| self.ratio(cell, Way::Dnsmasq, thousandths)),
        })
    }
}

fn word(family: Family) -> &'static str {
    match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    }
}
