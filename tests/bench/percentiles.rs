use std::time::Duration;

/// Which are shown, in thousandths.
pub const SHOWN: [(usize, &str); 4] = [(500, "p50"), (900, "p90"), (990, "p99"), (999, "p99.9")];

/// Of times in ascending order, the one that so many thousandths of them do not exceed, in microseconds.
pub fn micros(sorted: &[Duration], thousandths: usize) -> Option<f64> {
    let rank = (sorted.len() * thousandths).div_ceil(1_000).max(1);
    Some(sorted.get(rank - 1)?.as_secs_f64() * 1e6)
}
