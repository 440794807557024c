use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::sample::Sample;
use crate::setting::{Setting, Size};
use crate::stop;
use crate::world::Family;

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    /// How long a path is measured in each.
    pub time: Duration,
}

/// One path at a number of connections in flight, and its samples, one a round.
pub struct Cell {
    pub size: Size,
    pub family: Family,
    pub in_flight: usize,
    pub samples: Vec<Sample>,
}

/// Measures all settings in each round, at one number of connections in flight after the other, each time in another order.
/// The first round is there to warm up.
pub fn measure(what: &str, settings: &[&Setting], family: Family, in_flight: &[usize], effort: Effort) -> Vec<Cell> {
    // The same orders in every run.
    let mut random = StdRng::seed_from_u64(8);
    let began = Instant::now();
    let cell =
        |(&in_flight, setting): (&usize, &&Setting)| Cell { size: setting.size, family, in_flight, samples: vec![] };
    let mut cells: Vec<Cell> = in_flight.iter().flat_map(|n| settings.iter().map(move |s| (n, s))).map(cell).collect();
    for round in 0..=effort.rounds {
        for lanes in cells.chunks_mut(settings.len()) {
            let mut order: Vec<usize> = (0..settings.len()).collect();
            order.shuffle(&mut random);
            for index in order {
                stop::if_asked();
                let sample = Sample::take(settings[index], family, lanes[index].in_flight, effort.time);
                if round > 0 {
                    lanes[index].samples.push(sample);
                }
            }
        }
        tell(what, round, effort.rounds, began.elapsed());
    }
    cells
}

fn tell(what: &str, round: usize, rounds: usize, gone: Duration) {
    let gone = gone.as_secs();
    let left = gone * u64::try_from(rounds - round).unwrap() / u64::try_from(round + 1).unwrap();
    let name = if round == 0 { "warmed up".to_owned() } else { format!("round {round} of {rounds}") };
    eprintln!("{what}: {name}, {gone} s gone, about {left} s to go");
}
