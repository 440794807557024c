//! tests/summary and tests/setup, with programs in front of the real ones that say what a test wants.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::{root, said};

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
