//! Envoy, for real: what is rendered for it, and how it is kept running. Each test in a network namespace and a
//! directory of its own.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod flow;
mod original;
mod render;
mod start;
mod steering;
mod supervise;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use decider::envoy::{EnvoyState, Launch, Started, Steering, Supervisor};
use decider::model::Epoch;
use decider::policy::{self, Policy, SlotTable};
use tempfile::TempDir;
use tokio::sync::watch::Receiver;

/// Longer than anything takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The real program: `DECIDER_ENVOY`, else where `tests/setup` puts it.
fn envoy() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let installed = root.join(".deps/bin/envoy");
    let found = std::env::var_os("DECIDER_ENVOY").map_or(installed, PathBuf::from);
    assert!(found.is_file(), "no Envoy at {}: run tests/setup, or set DECIDER_ENVOY", found.display());
    found
}

/// A network namespace with `lo` up, a directory, and a policy for Envoy in there.
struct Place {
    directory: TempDir,
    policy: Policy,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let policy = policy(&text(&directory.path().join("envoy"), &envoy()));
        Self { directory, policy }
    }

    /// The same with other words in the policy.
    fn with(&self, from: &str, to: &str) -> Policy {
        let text = text(&self.config_dir(), &envoy());
        assert!(text.contains(from), "{from} is not in the policy");
        policy(&text.replace(from, to))
    }

    /// The same with other rules.
    fn with_rules(&self, rules: &str) -> Policy {
        let text = text(&self.config_dir(), &envoy());
        let (before, _) = text.split_once("rules:").unwrap();
        policy(&format!("{before}{rules}"))
    }

    fn config_dir(&self) -> PathBuf {
        self.directory.path().join("envoy")
    }

    async fn start(&self) -> Running {
        start(&self.policy).await
    }
}

impl Drop for Place {
    /// Ends what a test that failed has left behind.
    fn drop(&mut self) {
        let Ok(saved) = std::fs::read(self.config_dir().join("envoy.pid")) else { return };
        let saved: serde_json::Value = serde_json::from_slice(&saved).unwrap();
        let command = std::fs::read_to_string(format!("/proc/{}/cmdline", saved["pid"])).unwrap_or_default();
        if command.contains(self.config_dir().to_str().unwrap()) {
            sh(&format!("kill -KILL {}", saved["pid"]));
        }
    }
}

struct Running {
    supervisor: Supervisor,
    steering: Steering,
    state: Receiver<EnvoyState>,
}

async fn start(policy: &Policy) -> Running {
    let Started { supervisor, steering, state, .. } =
        Launch::prepare(policy).await.unwrap().start(policy).await.unwrap();
    Running { supervisor, steering, state }
}

impl Running {
    /// Waits until the state is as wanted.
    async fn until(&mut self, what: &str, wanted: impl Fn(&EnvoyState) -> bool) -> EnvoyState {
        let reached = async { self.state.wait_for(|state| wanted(state)).await.unwrap().clone() };
        let reached = tokio::time::timeout(PATIENCE, reached).await;
        reached.unwrap_or_else(|_| panic!("not {what} but {:?}", *self.state.borrow()))
    }

    async fn until_ready(&mut self, policy: &Policy) -> EnvoyState {
        self.until("ready", |state| policy.routes().iter().all(|route| state.is_ready(route))).await
    }
}

/// Runs a test in a fresh network namespace, with `lo` up, and a mount namespace.
fn in_namespace<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send) {
    thread::scope(|scope| {
        let inside = scope.spawn(|| {
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET | nix::sched::CloneFlags::CLONE_NEWNS)
                .expect("namespaces can be made only by root");
            sh("mount --make-rprivate / && ip link set lo up");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(test());
        });
        inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

/// What a shell command prints; it must succeed.
fn sh(command: &str) -> String {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn policy(text: &str) -> Policy {
    let spec = policy::load(text).unwrap_or_else(|problems| panic!("{problems:?}")).spec;
    let mut slots = SlotTable::default();
    slots.assign(&spec).unwrap();
    Policy::compile(spec, &slots, Epoch(7)).unwrap()
}

fn text(config_dir: &Path, binary: &Path) -> String {
    format!(
        "\
version: 1
intercept: {{ gateway: {{ interfaces: [lan0] }} }}
dns:
  resolvers: [198.51.100.53, \"2001:db8::53\"]
envoy:
  manage: true
  binary: {}
  config_dir: {}
rules:
  - {{ domain: github.com, proto: ssh }}
  - {{ id: a%b, domain: gitlab.com, proto: ssh }}
  - {{ domain: db.example.com, proto: tcp, port: [5432, 5433] }}
  - {{ domain: denied.example.com, proto: tcp, port: 5432, action: deny }}
",
        binary.display(),
        config_dir.display()
    )
}
