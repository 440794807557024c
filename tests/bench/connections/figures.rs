use crate::path::Path;
use crate::rounds::Cell;
use crate::sample::Sample;

/// What is read off a sample.
pub type Of = fn(&Sample) -> f64;

/// The median over the rounds, and the quartiles.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

impl Spread {
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let at = |quarters: usize| {
            let rank = (values.len().max(1) - 1) * quarters;
            let (index, rest) = (rank / 4, rank % 4);
            let low = values.get(index).copied().unwrap_or(f64::NAN);
            let high = values.get(index + 1).copied().unwrap_or(low);
            // Between two values, that far from the first.
            low + (high - low) * [0.0, 0.25, 0.5, 0.75][rest]
        };
        Self { median: at(2), low: at(1), high: at(3) }
    }
}

impl Cell {
    pub fn spread(&self, of: Of) -> Spread {
        Spread::of(self.samples.iter().map(of).collect())
    }

    pub fn total(&self, of: fn(&Sample) -> u64) -> u64 {
        self.samples.iter().map(of).sum()
    }

    /// This one's figure by another's, round by round: whatever the machine did in a round hit both.
    pub fn ratio(&self, other: &Self, of: Of) -> Spread {
        self.paired(other, |own, other| of(own) / of(other))
    }

    /// How much more it is than another's, likewise.
    pub fn difference(&self, other: &Self, of: Of) -> Spread {
        self.paired(other, |own, other| of(own) - of(other))
    }

    fn paired(&self, other: &Self, of: impl Fn(&Sample, &Sample) -> f64) -> Spread {
        Spread::of(self.samples.iter().zip(&other.samples).map(|(own, other)| of(own, other)).collect())
    }
}

/// The cell of a path at so many in flight, of those measured together.
pub fn cell(cells: &[Cell], path: Path, in_flight: usize) -> &Cell {
    let is_it = |cell: &&Cell| (cell.size.path, cell.in_flight) == (path, in_flight);
    cells.iter().find(is_it).expect("each was measured")
}
