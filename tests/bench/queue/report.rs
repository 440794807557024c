use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::load::Measured;
use crate::path::Path;
use crate::percentiles::micros;
use crate::save::save;

/// What the others are compared with.
const FLOOR: Path = Path::QueueC;

/// All rounds of one path with so many connections in flight.
pub struct Cell {
    pub path: Path,
    pub in_flight: usize,
    pub rounds: Vec<Measured>,
}

pub struct Report {
    pub cells: Vec<Cell>,
}

/// The medians of the rounds.
struct Figures {
    rate: f64,
    p50: f64,
    p99: f64,
    retransmitted: u64,
}

impl Report {
    /// For people.
    pub fn table(&self) -> String {
        let mut text = format!("{:<11}{:>9}", "path", "in flight");
        for (name, _) in self.columns(FLOOR, self.cells[0].in_flight) {
            write!(text, "{name:>13}").unwrap();
        }
        text.push('\n');
        for cell in &self.cells {
            write!(text, "{:<11}{:>9}", cell.path.name(), cell.in_flight).unwrap();
            for (_, value) in self.columns(cell.path, cell.in_flight) {
                write!(text, "{value:>13}").unwrap();
            }
            text.push('\n');
        }
        text
    }

    fn columns(&self, path: Path, in_flight: usize) -> [(&'static str, String); 6] {
        let figures = self.figures(path, in_flight);
        [
            ("rate/s", format!("{:.0}", figures.rate)),
            ("/queue-c", format!("{:.2}", self.to_floor(path, in_flight, |figures| figures.rate))),
            ("p50 us", format!("{:.1}", figures.p50)),
            ("/queue-c", format!("{:.2}", self.to_floor(path, in_flight, |figures| figures.p50))),
            ("p99 us", format!("{:.1}", figures.p99)),
            ("sent again", figures.retransmitted.to_string()),
        ]
    }

    /// The median of each round's own ratio: whatever the machine did in one round hit both.
    fn to_floor(&self, path: Path, in_flight: usize, of: fn(&Figures) -> f64) -> f64 {
        let [own, floor] = [path, FLOOR].map(|path| &self.cell(path, in_flight).rounds);
        let each = own.iter().zip(floor);
        median(each.map(|(own, floor)| of(&round(own)) / of(&round(floor))).collect())
    }

    fn figures(&self, path: Path, in_flight: usize) -> Figures {
        let rounds: Vec<Figures> = self.cell(path, in_flight).rounds.iter().map(round).collect();
        let middle = |of: fn(&Figures) -> f64| median(rounds.iter().map(of).collect());
        Figures {
            rate: middle(|round| round.rate),
            p50: middle(|round| round.p50),
            p99: middle(|round| round.p99),
            retransmitted: rounds.iter().map(|round| round.retransmitted).sum(),
        }
    }

    fn cell(&self, path: Path, in_flight: usize) -> &Cell {
        let is_it = |cell: &&Cell| (cell.path, cell.in_flight) == (path, in_flight);
        self.cells.iter().find(is_it).expect("each was measured")
    }

    /// For programs: `target/bench/queue.json`.
    pub fn write(&self) -> PathBuf {
        let rows: Vec<Value> = self.cells.iter().map(|cell| self.row(cell)).collect();
        save("queue", &json!({ "bench": "queue", "rows": rows }))
    }

    fn row(&self, cell: &Cell) -> Value {
        let Figures { rate, p50, p99, retransmitted } = self.figures(cell.path, cell.in_flight);
        json!({
            "path": cell.path.name(),
            "in_flight": cell.in_flight,
            "rate": rate,
            "p50_us": p50,
            "p99_us": p99,
            "retransmitted": retransmitted,
            "rate_to_queue_c": self.to_floor(cell.path, cell.in_flight, |figures| figures.rate),
            "rounds": cell.rounds.iter().map(|round| round.rate).collect::<Vec<_>>(),
        })
    }
}

fn round(measured: &Measured) -> Figures {
    let at = |thousandths| micros(&measured.times, thousandths).unwrap_or(f64::NAN);
    Figures { rate: measured.rate, p50: at(500), p99: at(990), retransmitted: measured.retransmitted }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
