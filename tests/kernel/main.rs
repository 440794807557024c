//! The kernel's state, for real: each test in a network namespace of its own that ends with its thread.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod cut;
mod fast_map;
mod monitor;
mod presence;
mod private;
mod queue;
mod routing;
mod ruleset;

use std::process::Command;
use std::thread;

use decider::model::Epoch;
use decider::policy::{self, Policy, SlotTable};

/// Runs a test in a fresh network namespace, with `lo` up.
fn in_namespace<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let inside = scope.spawn(|| {
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET)
                .expect("a network namespace can be made only by root");
            sh("ip link set lo up");
            test()
        });
        inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// What a shell command prints; it must succeed.
fn sh(command: &str) -> String {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn policy(text: &str) -> Policy {
    let spec = policy::load(text).unwrap().spec;
    let mut slots = SlotTable::default();
    slots.assign(&spec).unwrap();
    Policy::compile(spec, &slots, Epoch(1)).unwrap()
}

const POLICY: &str = "\
version: 1
intercept:
  gateway:
    interfaces: [lan0, \"br-*\"]
    networks: [10.77.1.0/24, \"fd77:1::/64\"]
dns:
  resolvers: [10.77.2.53, \"fd77:2::53\"]
rules:
  - { domain: github.com, proto: ssh }
  - { domain: gitlab.com, proto: ssh }
  - { domain: db.example.com, proto: tcp, port: [5432, 5433] }
";
