use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::load::RATE;
use crate::percentiles::{SHOWN, micros};
use crate::round::Round;
use crate::save::save;

/// All rounds of both kinds.
pub struct Report {
    pub without: Vec<Round>,
    pub with: Vec<Round>,
}

impl Report {
    /// For people: of each figure the median of the rounds.
    pub fn table(&self) -> String {
        let mut text =
            format!("{RATE} connections a second to be sent, each another address, IPv4 and IPv6 in turn\n\n");
        write!(text, "{:<16}{:>9}{:>10}{:>9}{:>7}", "", "sent/s", "decided", "dropped", "lost").unwrap();
        for (_, name) in SHOWN {
            write!(text, "{:>11}", format!("{name} us")).unwrap();
        }
        text.push('\n');
        for (name, rounds) in self.kinds() {
            let sum = |of: fn(&Round) -> u64| rounds.iter().map(of).sum::<u64>();
            let rate = median(rounds.iter().map(|round| round.rate).collect());
            let (decided, dropped, lost) = (sum(|round| round.decided), sum(|round| round.dropped), sum(|r| r.lost));
            write!(text, "{name:<16}{rate:>9.0}{decided:>10}{dropped:>9}{lost:>7}").unwrap();
            for (of, _) in SHOWN {
                write!(text, "{:>11.1}", waited(rounds, of)).unwrap();
            }
            text.push('\n');
        }
        write!(text, "{:<51}", "with / without").unwrap();
        for (of, _) in SHOWN {
            write!(text, "{:>11.2}", waited(&self.with, of) / waited(&self.without, of)).unwrap();
        }
        let (seen, gaps, stopped) = self.told();
        write!(text, "\n\nreaders that read: {seen} decisions, {gaps} told as missed; the one that stopped: ").unwrap();
        write!(text, "{} decisions, {} told as missed", stopped.0, stopped.1).unwrap();
        text
    }

    fn kinds(&self) -> [(&'static str, &[Round]); 2] {
        [("no reader", &self.without), ("ten readers", &self.with)]
    }

    /// Decisions and gaps of those that read, and of the one that did not.
    fn told(&self) -> (u64, u64, (u64, u64)) {
        let (mut seen, mut gaps, mut stopped) = (0, 0, (0, 0));
        for round in &self.with {
            let Some((last, others)) = round.told.split_last() else { continue };
            seen += others.iter().map(|told| told.decisions).sum::<u64>();
            gaps += others.iter().map(|told| told.missed).sum::<u64>();
            stopped = (stopped.0 + last.decisions, stopped.1 + last.missed);
        }
        (seen, gaps, stopped)
    }

    /// For programs: `target/bench/readers.json`.
    pub fn write(&self) -> PathBuf {
        let kinds: serde_json::Map<String, Value> =
            self.kinds().map(|(name, rounds)| (name.to_owned(), each(rounds))).into_iter().collect();
        let processors = std::thread::available_parallelism().unwrap();
        let all = json!({ "bench": "readers", "processors": processors, "rate": RATE, "kinds": kinds });
        save("readers", &all)
    }
}

fn each(rounds: &[Round]) -> Value {
    let round = |round: &Round| {
        let told: Vec<Value> = round.told.iter().map(|told| json!([told.decisions, told.missed])).collect();
        let micros: serde_json::Map<String, Value> =
            SHOWN.iter().map(|&(of, name)| (name.to_owned(), json!(wait(round, of)))).collect();
        json!({
            "rate": round.rate, "decided": round.decided, "dropped": round.dropped, "lost": round.lost,
            "micros": micros, "told": told,
        })
    };
    rounds.iter().map(round).collect()
}

/// The median of the rounds.
fn waited(rounds: &[Round], thousandths: usize) -> f64 {
    median(rounds.iter().map(|round| wait(round, thousandths)).collect())
}

fn wait(round: &Round, thousandths: usize) -> f64 {
    let times: Vec<Duration> = round.waits.iter().map(|&wait| Duration::from_micros(wait)).collect();
    micros(&times, thousandths).unwrap_or(f64::NAN)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
