//! `decider top`: what it prints for scripts, and in a real terminal (tmux).

#![expect(clippy::panic, reason = "a test ends where the screen is not as it should be")]

use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};

use crate::fake::{Daemon, event};
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

/// A terminal of its own, with a shell in it.
struct Tmux(String);

impl Tmux {
    fn start(folder: &Folder) -> Self {
        let tmux = Self(folder.0.join("tmux.sock").to_str().unwrap().to_owned());
        tmux.ok(&["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "/bin/sh"]);
        tmux
    }

    fn call(&self, args: &[&str]) -> Output {
        let mut tmux = Command::new("tmux");
        tmux.args(["-u", "-S", &self.0]).args(args).env("LC_ALL", "C.UTF-8").env_remove("TMUX").env_remove("NO_COLOR");
        tmux.output().unwrap()
    }

    fn ok(&self, args: &[&str]) -> String {
        let output = self.call(args);
        assert!(output.status.success(), "tmux {args:?}: {}", stderr(&output));
        stdout(&output)
    }

    fn keys(&self, keys: &[&str]) {
        self.ok(&[&["send-keys"], keys].concat());
    }

    fn shows(&self, words: &str) -> String {
        let mut screen = String::new();
        for _ in 0..1200 {
            screen = self.ok(&["capture-pane", "-p"]);
            if screen.contains(words) {
                return screen;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{words:?} is not on\n{screen}");
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.call(&["kill-server"]);
    }
}

#[test]
fn in_a_terminal_it_shows_takes_keys_and_leaves_all_as_it_was() {
    let folder = Folder::new("top-tmux");
    let daemon = Daemon::start(&folder);
    daemon.publish(refused("203.0.113.9"));
    let tmux = Tmux::start(&folder);
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
