//! `decider top`: what it prints for scripts, and in a real terminal (tmux).

use std::process::Command;

use serde_json::{Value, json};

use crate::fake::{Daemon, event};
use crate::tmux::Tmux;
use crate::{Folder, code, command, decider, stderr, stdout, text};

fn refused(dst: &str) -> Value {
    let mut event = event();
    event["dst"] = json!(dst);
    event["reason"] = json!("name-not-allowed");
    event["domain"] = json!("paste.example.net");
    event
}

#[test]
fn once_is_a_table_and_json_has_all_fields() {
    let folder = Folder::new("top-once");
    let daemon = Daemon::start(&folder);
    for dst in ["203.0.113.9", "2001:db8::9", "203.0.113.9"] {
        daemon.publish(refused(dst));
    }
    let table = stdout(&decider(&folder, &["top", "--once", "verdict:deny"]));
    let first = |line: &str| line.split_whitespace().map(str::to_owned).take(6).collect::<Vec<_>>();
    let lines: Vec<Vec<String>> = table.lines().map(first).collect();
    assert_eq!(lines[0], ["WHAT", "NAME", "CLIENT", "DESTINATION", "PORT", "WHY"], "{table}");
    assert_eq!(lines[1][1..4], ["paste.example.net", "10.77.1.7", "203.0.113.9"], "{table}");
    assert_eq!(lines[2][3], "2001:db8::9", "{table}");
    assert_eq!(lines.len(), 3, "{table}");
    let rows: Value = serde_json::from_slice(&decider(&folder, &["top", "--json", "dst:203.0.113.9"]).stdout).unwrap();
    assert_eq!((&rows[0]["count"], &rows[0]["reason"]), (&json!(2), &json!("name-not-allowed")), "{rows}");
    let connections: Value =
        serde_json::from_slice(&decider(&folder, &["top", "--json", "verdict:allow"]).stdout).unwrap();
    assert!(connections[0]["open"].as_u64().unwrap() > 0, "{connections}");
}

#[test]
fn a_file_of_events_is_shown_without_a_daemon() {
    let folder = Folder::new("top-replay");
    let file = folder.file("events.jsonl", &format!("{}\n{{\"gap\":3}}\n{}\n", event(), refused("2001:db8::9")));
    let output = decider(&folder, &["top", "--once", "--replay", text(&file)]);
    assert_eq!((code(&output), stdout(&output).lines().count()), (0, 3), "{}", stderr(&output));
    let broken = folder.file("broken.jsonl", &format!("{}\nnonsense\n", event()));
    let output = decider(&folder, &["top", "--once", "--replay", text(&broken)]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("broken.jsonl:2: this is no event"), "{}", stderr(&output));
    assert_eq!(code(&decider(&folder, &["top", "--once", "--replay", "/nonexistent"])), 4);
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let folder = Folder::new("top-pipe");
    let _daemon = Daemon::start(&folder);
    let output = command(&folder, &["top"]).stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("use --once or --json"), "{}", stderr(&output));
    assert_eq!(code(&decider(&folder, &["top", "port:x"])), 2);
}

#[test]
fn in_a_terminal_it_shows_takes_keys_and_leaves_all_as_it_was() {
    let folder = Folder::new("top-tmux");
    let daemon = Daemon::start(&folder);
    daemon.publish(refused("203.0.113.9"));
    let tmux = Tmux::start(&folder.0);
    let (bin, socket) = (env!("CARGO_BIN_EXE_decider"), folder.socket());
    for (name, end) in [("key", &["q"][..]), ("interrupt", &["C-c"]), ("signal", &[])] {
        let (before, after) = (folder.0.join(format!("{name}-before")), folder.0.join(format!("{name}-after")));
        let top = format!("{bin} --socket {} top --interval 100", text(&socket));
        let (before, after) = (text(&before), text(&after));
        tmux.keys(&[&format!("clear; stty -g >{before}; {top}; echo {name}=$?; stty -g >{after}; echo over"), "Enter"]);
        tmux.shows("paste.example.net");
        tmux.keys(&["/", "dst:203.0.113.0/24"]);
        tmux.shows("/dst:203.0.113.0/24");
        tmux.keys(&["Enter", "Enter"]);
        let detail = tmux.shows("as it would be decided now");
        assert!(detail.contains("decided      deny"), "{detail}");
        tmux.keys(&["Escape"]);
        tmux.shows("decider allow paste.example.net:22 --for 10m");
        tmux.ok(&["resize-window", "-x", "130", "-y", "30"]);
        tmux.shows(" ROUTE ");
        tmux.ok(&["resize-window", "-x", "80", "-y", "24"]);
        match end {
            [] => {
                let pid = tmux.ok(&["display-message", "-p", "#{pane_pid}"]);
                let killed = Command::new("pkill").args(["-TERM", "-P", pid.trim()]).status().unwrap();
                assert!(killed.success());
            }
            keys => tmux.keys(keys),
        }
        let screen = tmux.shows("\nover");
        let wanted = if end.is_empty() { "signal=143" } else { "=0" };
        assert!(screen.contains(wanted) && !screen.contains("DESTINATION"), "{screen}");
        let terminal = [before, after].map(|file| std::fs::read_to_string(file).unwrap());
        assert_eq!(terminal[0], terminal[1], "the terminal is not as it was");
    }
    drop(daemon);
}

#[test]
fn it_waits_for_a_decider_that_is_started_again() {
    let folder = Folder::new("top-again");
    let daemon = Daemon::start(&folder);
    daemon.publish(refused("203.0.113.9"));
    let tmux = Tmux::start(&folder.0);
    let (bin, socket) = (env!("CARGO_BIN_EXE_decider"), folder.socket());
    tmux.keys(&[&format!("clear; {bin} --socket {} top --interval 100; echo code=$?", text(&socket)), "Enter"]);
    tmux.shows("203.0.113.9");
    drop(daemon);
    tmux.shows("no news: ");
    let again = Daemon::start(&folder);
    // The same once more is no second one; what is new comes.
    again.publish(refused("203.0.113.9"));
    let mut later = refused("203.0.113.10");
    later["ts"] = json!("2031-01-01T00:00:00Z");
    again.publish(later);
    let screen = tmux.shows("203.0.113.10");
    assert!(!screen.contains("no news"), "{screen}");
    tmux.keys(&["g"]);
    let groups = tmux.shows("REFUSED");
    let row = groups.lines().find(|line| line.starts_with("10.77.1.7 ")).unwrap();
    assert_eq!(row.split_whitespace().nth(1), Some("2"), "{groups}");
    tmux.keys(&["q"]);
    tmux.shows("code=0");
}
