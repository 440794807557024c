//! Outputs that nobody reads or that cannot be written.

use std::fs::OpenOptions;
use std::process::{Output, Stdio};

use crate::fake::{Daemon, event};
use crate::{Folder, POLICY, code, command, stderr, text};

/// Runs with a standard output whose reader has gone.
fn unread(folder: &Folder, args: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command(folder, args).stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap()
}

#[test]
fn a_reader_that_has_gone_changes_no_answer() {
    let folder = Folder::new("unread");
    let file = folder.file("policy.yaml", POLICY);
    let broken = folder.file("broken.yaml", "version: 2\n");
    let daemon = Daemon::start(&folder);
    daemon.publish(event());
    let explain = ["explain", "--client", "10.0.0.1", "--dst", "192.0.2.1", "--port", "22"];
    let explain_file = [&explain[..], &[text(&file)]].concat();
    for (args, wanted) in [
        (&["check", text(&file)][..], 0),
        (&["check", "--json", text(&file)], 0),
        (&["check", "--json", text(&broken)], 1),
        (&["render", "all", text(&file)], 0),
        (&["render", "nft", "--json", text(&file)], 0),
        (&explain_file, 1),
        (&explain, 0),
        (&["status"], 0),
        (&["status", "--json"], 0),
        (&["rules"], 0),
        (&["cache"], 0),
        (&["events"], 0),
        (&["events", "--json"], 0),
        (&["doctor", text(&broken)], 1),
        (&["man"], 0),
        (&["completions", "bash"], 0),
        (&["--help"], 0),
    ] {
        let output = unread(&folder, args);
        assert_eq!(code(&output), wanted, "{args:?}: {}", stderr(&output));
        assert!(!stderr(&output).contains("panicked"), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn an_output_that_cannot_be_written_is_the_systems_no() {
    let folder = Folder::new("full");
    let file = folder.file("policy.yaml", POLICY);
    let daemon = Daemon::start(&folder);
    daemon.publish(event());
    for args in [
        &["check", text(&file)][..],
        &["check", "--json", text(&file)],
        &["render", "nft", text(&file)],
        &["status"],
        &["events"],
        &["events", "--json"],
        &["rules", "--json"],
        &["completions", "zsh"],
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = command(&folder, args).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        let output = output.wait_with_output().unwrap();
        assert_eq!(code(&output), 4, "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("cannot write the output"), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn a_closed_standard_error_is_no_panic() {
    let folder = Folder::new("deaf");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = command(&folder, &["status"]).stdout(Stdio::null()).stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(3));
}
