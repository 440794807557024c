//! tests/summary and tests/setup, with programs in front of the real ones that say what a test wants.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::{files, root, said};

/// Runs a script with fake programs in front of the PATH, each given as its name and its text.
fn with_programs(script: &str, args: &[&str], programs: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in programs {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    Command::new(Path::new("tests").join(script)).args(args).current_dir(root()).env("PATH", path).output().unwrap()
}

/// What the summary makes of a `cargo test` that prints and ends like this.
fn summary_of(printed: &str, code: u8) -> (String, i32) {
    let cargo = format!("case \"$*\" in *--no-run* | build*) exit 0;; esac\ncat <<'END'\n{printed}\nEND\nexit {code}");
    let output = with_programs("summary", &[], &[("cargo", &cargo)]);
    let last = String::from_utf8_lossy(&output.stdout).lines().last().unwrap().to_owned();
    (last, output.status.code().unwrap())
}

const GOOD: &str = "     Running unittests src/lib.rs (target/debug/deps/a)\n\
                    test one ... ok\n\
                    test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";
const BAD: &str = "     Running tests/b.rs (target/debug/deps/b)\n\
                   test two ... FAILED\n\
                   test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";
const CRASHED: &str = "     Running tests/c.rs (target/debug/deps/c)\n\
                       error: test failed, to rerun pass `--test c`\n";
const DOCS: &str = "   Doc-tests decider\n\
                    test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";

#[test]
fn the_summary_adds_up_all_programs() {
    assert_eq!(summary_of(&[GOOD, DOCS].concat(), 0), ("4 passed, 0 failed".to_owned(), 0));
    assert_eq!(summary_of(&[GOOD, BAD, DOCS].concat(), 101), ("8 passed, 2 failed".to_owned(), 1));
}

#[test]
fn the_summary_counts_what_has_no_result() {
    assert_eq!(summary_of(&[GOOD, CRASHED, DOCS].concat(), 101), ("4 passed, 1 failed".to_owned(), 1));
    assert_eq!(summary_of(GOOD, 101), ("3 passed, 1 failed".to_owned(), 1));
    assert_eq!(summary_of("", 0), ("0 passed, 1 failed".to_owned(), 1));
}

#[test]
fn what_does_not_compile_has_failed() {
    let output = with_programs("summary", &[], &[("cargo", "echo 'error: expected one of' >&2; exit 101")]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().last(), Some("0 passed, 1 failed"));
}

#[test]
fn setup_says_when_rust_is_too_old() {
    let output = with_programs("setup", &["rust"], &[("rustc", "echo 'rustc 1.70.0 (90c541806 2023-05-31)'")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("Rust 1.70.0 is too old"), "{}", said(&output));
    let output = with_programs("setup", &["rust"], &[("rustc", "echo 'rustc 1.100.0 (90c541806 2027-05-31)'")]);
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn setup_says_when_it_is_not_root() {
    let output = with_programs("setup", &[], &[("id", "echo 1000")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("must run as root"), "{}", said(&output));
}

/// All scripts of a folder: what says in its first line that it is bash.
fn scripts(folder: &str) -> Vec<std::path::PathBuf> {
    let mut found = files(folder, "");
    found.retain(|path| {
        let text = std::fs::read(path).unwrap();
        text.starts_with(b"#!/usr/bin/env bash") || text.starts_with(b"# shellcheck shell=bash")
    });
    found
}

#[test]
fn the_scripts_of_the_virtual_machine_are_bash() {
    let scripts = scripts("vagrant");
    assert!(scripts.len() > 10, "{scripts:?}");
    for script in scripts {
        let output = Command::new("bash").arg("-n").arg(&script).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}: {}", script.display(), said(&output));
    }
}

/// Where there is no Ruby, Vagrant is not there either.
#[test]
fn the_vagrantfile_is_ruby() {
    let checked = Command::new("ruby").args(["-c", "vagrant/Vagrantfile"]).current_dir(root()).output();
    let Ok(output) = checked else {
        println!("vagrant/Vagrantfile was NOT looked at: no ruby here");
        return;
    };
    assert!(output.status.success(), "{}", said(&output));
}

/// Every scenario says in its first lines what it shows, has what the runner looks for, and is in docs/testing.md.
#[test]
fn scenarios_are_as_the_runner_wants_them() {
    let told = crate::read("docs/testing.md");
    let scenarios = files("vagrant/scenarios", ".sh");
    assert!(scenarios.len() >= 3, "{scenarios:?}");
    for path in scenarios {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy();
        assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("# ")), "{name} does not say what it shows");
        let has = |function: &str| text.lines().any(|line| line.starts_with(&format!("{function}() {{")));
        let is_whole = has("scenario") || (has("before_reboot") && has("after_reboot"));
        assert!(is_whole, "{name} has neither scenario() nor before_reboot() and after_reboot()");
        assert!(told.contains(&format!("| `{name}` |")), "docs/testing.md does not tell of {name}");
    }
}
