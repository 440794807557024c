use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use decider::dns::Belief;

use crate::clocked::{Cost, count};
use crate::decisions::decide_once;
use crate::report::{Report, Row};
use crate::world::{Family, HOUR, NOW, Size, Told, policy};

const THREADS: [usize; 3] = [1, 2, 4];
const KEYS: usize = 1 << 16;
/// New answers a second that another thread learns meanwhile.
const PAUSE: Duration = Duration::from_micros(100);

/// Several workers at once, over one cache; then beside a thread that learns. A worker's decision, by the clock on the
/// wall: with more threads than processors it takes longer by that.
pub fn measure(size: &Size, report: &mut Report) {
    let (rules, observations) = (size.most_rules(), size.most_observations());
    let policy = policy(rules);
    let told = Told { family: Family::V4, rules };
    let knowledge = told.knowledge(observations);
    let round = size.round * 5;
    for learning in [false, true] {
        for threads in THREADS {
            let mut rounds: Vec<f64> = (0..size.rounds)
                .map(|_| {
                    let stop = AtomicBool::new(false);
                    std::thread::scope(|scope| {
                        if learning {
                            scope.spawn(|| learn(&told, &knowledge, observations, &stop));
                        }
                        let deciding: Vec<_> = (0..threads)
                            .map(|thread| {
                                let (policy, knowledge, stop) = (&policy, &knowledge, &stop);
                                let pairs = told.random(observations, KEYS);
                                scope.spawn(move || {
                                    let began = Instant::now();
                                    let mut number = thread * KEYS / threads;
                                    let mut done = 0;
                                    while !stop.load(Ordering::Relaxed) {
                                        decide_once(policy, knowledge, pairs[number % KEYS]);
                                        (number, done) = (number + 1, done + 1);
                                    }
                                    began.elapsed().as_secs_f64() * 1e9 / count(done)
                                })
                            })
                            .collect();
                        std::thread::sleep(round);
                        stop.store(true, Ordering::Relaxed);
                        let all: Vec<f64> = deciding.into_iter().map(|thread| thread.join().unwrap()).collect();
                        all.iter().sum::<f64>() / count(all.len())
                    })
                })
                .collect();
            rounds.sort_unstable_by(f64::total_cmp);
            let spread = (rounds[0], rounds[rounds.len() - 1]);
            let cost = Cost { ns: rounds[rounds.len() / 2], spread, allocations: 0.0, bytes: 0.0 };
            let keys = if learning { "random, one learns" } else { "random" };
            let row = Row::of("decide, workers at once", cost).family(Family::V4).keys(keys).threads(threads);
            report.add(row.rules(rules).observations(observations));
        }
    }
}

fn learn(told: &Told, knowledge: &decider::queue::Knowledge, observations: usize, stop: &AtomicBool) {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let (client, addr) = told.pair(number % observations);
        knowledge.about(addr).learn(NOW, client, addr, told.name(number % observations), HOUR, Belief::Believed);
        number += 1;
        std::thread::sleep(PAUSE);
    }
}
