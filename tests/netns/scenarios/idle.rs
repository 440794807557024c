//! What decider costs while nothing happens. The figures are printed with `--nocapture`.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use nix::unistd::Pid;

use crate::world::{Setup, World};

const WATCHED: Duration = Duration::from_secs(10);

/// The sum of a field over all threads of a process.
fn over_threads(pid: Pid, file: &str, value: impl Fn(&str) -> u64) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    threads.map(|thread| value(&fs::read_to_string(thread.path().join(file)).unwrap_or_default())).sum()
}

/// How often its threads went to sleep by themselves.
fn sleeps(pid: Pid) -> u64 {
    over_threads(pid, "status", |status| {
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.map_or(0, |number| number.trim().parse().unwrap())
    })
}

/// How long they were on a processor, in nanoseconds.
fn worked(pid: Pid) -> u64 {
    over_threads(pid, "schedstat", |times| times.split(' ').next().unwrap_or_default().parse().unwrap_or(0))
}

fn watch(world: &World, what: &str) -> (u64, u64) {
    let process = world.gateway.process.as_ref().unwrap();
    let pid = process.pid();
    let before = (sleeps(pid), worked(pid));
    sleep(WATCHED);
    let seconds = WATCHED.as_secs();
    let switches = (sleeps(pid) - before.0) / seconds;
    let micros = (worked(pid) - before.1) / 1000 / seconds;
    let resident = process.resident() / 1024 / 1024;
    println!(
        "idle, {what}: {switches} voluntary switches and {micros} us on a processor a second, {resident} MiB resident"
    );
    (switches, resident)
}

#[test]
fn nothing_happens_and_little_is_done() {
    let world = Setup::default().start();
    // What the start left to do is done soon.
    sleep(Duration::from_secs(6));
    let (switches, resident) = watch(&world, "7 rules, with its Envoy");
    assert!(switches < 100, "{switches} voluntary switches a second");
    assert!(resident < 100, "{resident} MiB");
}

#[test]
fn ten_thousand_rules_need_little_memory() {
    let rules: Vec<String> = (0..10_000).map(|n| format!("\n  - {{ domain: host-{n}.example, proto: ssh }}")).collect();
    let mut world = Setup { rules: rules.concat().leak(), ..Setup::default() }.build();
    // Nobody serves the listeners: that is Envoy's memory, not decider's.
    world.gateway.leave_envoy_to_others();
    world.gateway.launch();
    world.gateway.wait_until_degraded("listener");
    sleep(Duration::from_secs(6));
    let (switches, resident) = watch(&world, "10,000 rules, without Envoy");
    assert!(switches < 100, "{switches} voluntary switches a second");
    assert!(resident < 300, "{resident} MiB");
}
