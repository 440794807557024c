//! Policy files as a whole: what is accepted, what is refused and with which words.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod broken;

use std::fs;
use std::path::{Path, PathBuf};

/// A path inside the project.
fn path(inside: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(inside)
}

/// The policies in a folder, by name.
fn policies(folder: &str) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = fs::read_dir(path(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    found.sort();
    found
}
