//! The documents tell the truth: links lead somewhere, commands and policies work, reasons and tests exist.
//! The scripts that the documents send people to are tried here too.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where something is not as it should be"
)]

mod commands;
mod demo;
mod links;
mod markdown;
mod policies;
mod scripts;
mod units;
mod words;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The project's folder.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below a folder of the project whose name ends like this.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found
}

/// README, CHANGELOG and everything in docs.
fn documents() -> Vec<PathBuf> {
    let mut found = files("docs", ".md");
    found.extend(["README.md", "CHANGELOG.md"].map(|name| root().join(name)));
    assert!(found.len() >= 5, "only {} documents found", found.len());
    found
}

fn decider(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_decider")).args(args).current_dir(folder).output().unwrap()
}

/// What a program said, for a failed assertion.
fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
