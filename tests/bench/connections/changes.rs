//! How long it takes until another policy is in force.

use std::time::Instant;

use crate::setting::Setting;
use crate::stop;

/// A rule of those that nobody asks for, before and after.
const RULE: [&str; 2] = ["rule-5.other.example", "rule-5.another.example"];

/// Reloads so often, each time with one rule that is another: how long each took until it was in force, in seconds.
pub fn reloads(setting: &Setting, times: usize) -> Vec<f64> {
    let gateway = &setting.world.gateway;
    let one = |turn: usize| {
        stop::if_asked();
        let [from, to] = if turn.is_multiple_of(2) { RULE } else { [RULE[1], RULE[0]] };
        gateway.write_policy(&gateway.policy().replace(from, to));
        let began = Instant::now();
        gateway.reloads();
        began.elapsed().as_secs_f64()
    };
    (0..times).map(one).collect()
}

/// How long SYNs waited for their verdicts, from the moment decider had them, in microseconds: the median of recent ones.
pub fn waited(setting: &Setting) -> Option<u64> {
    let events = setting.world.gateway.events();
    let mut waited: Vec<u64> = events
        .iter()
        .filter(|event| event["path"] == "queue")
        .filter_map(|event| event["waited_us"].as_u64())
        .collect();
    waited.sort_unstable();
    waited.get(waited.len() / 2).copied()
}
