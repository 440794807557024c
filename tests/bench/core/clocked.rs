use std::time::{Duration, Instant};

use crate::world::Size;

/// What one operation costs.
pub struct Cost {
    /// Nanoseconds: the median of the rounds.
    pub ns: f64,
    /// Of the quickest and of the slowest round.
    pub spread: (f64, f64),
    /// Allocations, and the bytes of all of them.
    pub allocations: f64,
    pub bytes: f64,
}

/// Times an operation, which is given the number of the call. A round has as many calls as fill its time.
pub fn cost(size: &Size, mut operation: impl FnMut(usize)) -> Cost {
    let calls = calls(size.round, &mut operation);
    let mut number = 0;
    let mut rounds: Vec<f64> = (0..size.rounds)
        .map(|_| {
            let began = Instant::now();
            for _ in 0..calls {
                operation(number);
                number += 1;
            }
            began.elapsed().as_secs_f64() * 1e9 / count(calls)
        })
        .collect();
    rounds.sort_unstable_by(f64::total_cmp);
    let counted = calls.min(1_000);
    let used = allocation_counter::measure(|| {
        for _ in 0..counted {
            operation(number);
            number += 1;
        }
    });
    Cost {
        ns: rounds[rounds.len() / 2],
        spread: (rounds[0], rounds[rounds.len() - 1]),
        allocations: whole(used.count_total) / count(counted),
        bytes: whole(used.bytes_total) / count(counted),
    }
}

/// The same for an operation that takes long: once a round.
pub fn cost_of_one(size: &Size, mut operation: impl FnMut()) -> Cost {
    let once = Size { round: Duration::ZERO, rounds: size.rounds.min(7), ..*size };
    cost(&once, |_| operation())
}

fn calls(round: Duration, operation: &mut impl FnMut(usize)) -> usize {
    let mut calls = 1;
    loop {
        let began = Instant::now();
        (0..calls).for_each(&mut *operation);
        let took = began.elapsed();
        if took >= round {
            return calls;
        }
        // Not much more than fills it, however rough the first guess was.
        let factor = round.as_secs_f64() / took.as_secs_f64().max(1e-9);
        calls = if factor > 10.0 { calls * 10 } else { calls * 2 };
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub fn count(calls: usize) -> f64 {
    calls as f64
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn whole(of: u64) -> f64 {
    of as f64
}
