//! The units for systemd name commands and options that exist, and say what the documents say of them.

use crate::commands::is_known;
use crate::{decider, files, read, root, said};

#[test]
fn units_start_commands_that_exist() {
    let units = files("src/package", ".service");
    assert_eq!(units.len(), 2, "{units:?}");
    for unit in units {
        let text = std::fs::read_to_string(&unit).unwrap();
        let started: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("ExecStart=").or(line.strip_prefix("ExecReload=")))
            .collect();
        assert!(!started.is_empty(), "{}", unit.display());
        for line in started {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(words[0], "/usr/bin/decider", "{}: {line}", unit.display());
            is_known(&words[1..]).unwrap_or_else(|error| panic!("{}: {line}: {error}", unit.display()));
        }
    }
}

#[test]
fn operations_says_what_the_unit_says() {
    let unit = read("src/package/decider.service");
    let operations = read("docs/operations.md");
    for setting in ["Type=notify", "WatchdogSec=30", "Restart=on-failure", "KillMode=process"] {
        assert!(unit.lines().any(|line| line == setting), "{setting} is not in the unit");
        assert!(operations.contains(&format!("`{setting}`")), "operations.md does not tell of {setting}");
    }
}

#[test]
fn the_policy_as_installed_passes_the_check_and_refuses_nothing() {
    let policy = "src/package/policy.yaml";
    let output = decider(root(), &["check", policy]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(read(policy).lines().any(|line| line == "mode: audit"));
}
