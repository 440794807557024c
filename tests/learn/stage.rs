//! `decider learn`, run in a folder of its own.

use std::path::Path;
use std::process::{Command, Output};

use decider::record::Event;
use serde_json::Value;

use crate::events::lines;

pub struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With events.jsonl.
    pub fn with(events: &[Event]) -> Self {
        let stage = Self::new();
        stage.write("events.jsonl", lines(events));
        stage
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.program(env!("CARGO_BIN_EXE_decider"), arguments)
    }

    pub fn program(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Output {
        Command::new(program.as_ref()).current_dir(self.folder.path()).args(arguments).output().unwrap()
    }

    /// What is learned of events.jsonl, with these arguments.
    pub fn learn(&self, arguments: &[&str]) -> Output {
        self.run(&[&["learn", "--from", "events.jsonl"], arguments].concat())
    }

    /// A whole policy, which passes the check.
    pub fn proposes(&self, arguments: &[&str]) -> String {
        let output = self.learn(arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        self.write("proposed.yaml", &output.stdout);
        let check = self.run(&["check", "proposed.yaml"]);
        assert!(check.status.success(), "{}\n{}", text(&output.stdout), text(&check.stderr));
        text(&output.stdout)
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_slice(&self.learn(&[arguments, &["--json"]].concat()).stdout).unwrap()
    }
}

/// The lines of its rules.
pub fn rules(policy: &str) -> Vec<&str> {
    policy.lines().filter_map(|line| line.strip_prefix("  - ")).collect()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
