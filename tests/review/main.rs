//! `decider diff`: what two policies say otherwise, and which recorded decisions would be others.
#![expect(clippy::unwrap_used, reason = "a test")]

mod judged;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

const OLD: &str = "\
version: 1
intercept: { gateway: { interfaces: [lan0] } }
dns: { resolvers: [10.77.2.53, \"fd77:2::53\"] }
rules:
  - { domain: github.com, proto: ssh }
  - { domain: db.example.com, proto: tcp, port: 5432 }
";

fn diff(new: &str, events: Option<&str>, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("old.yaml", OLD);
    write("new.yaml", new);
    let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_decider")));
    command.current_dir(folder.path()).args(["diff", "old.yaml", "new.yaml"]).args(arguments);
    if let Some(events) = events {
        write("events.jsonl", events);
        command.args(["--events", "events.jsonl"]);
    }
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An event as `events --json` prints it.
fn event(client: &str, reason: &str, name: Option<&str>, dst: &str, port: u16) -> String {
    let verdict = if reason == "allowed" { "allow" } else { "deny" };
    json!({
        "ts": "2026-01-01T00:00:00Z", "verdict": verdict, "reason": reason, "rule": null, "domain": name,
        "client": client, "client_port": 40_000, "dst": dst, "dst_port": port, "proto": "tcp", "mark": "0x0",
        "iface": "lan0", "path": "queue", "waited_us": 1
    })
    .to_string()
}

#[test]
fn rules_and_settings_that_are_different_are_named() {
    let output = diff(OLD, None, &[]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "nothing is different\n".to_owned()));
    let new =
        OLD.replace("github.com", "gitlab.com").replace("5432", "5433").replace("dns: {", "dns: { queries: policy,");
    let output = diff(&new.replace("db.example.com,", "db.example.com, id: db,"), None, &[]);
    let shown = "\
+ gitlab.com:22/ssh
+ db
- github.com:22/ssh
- db.example.com:5432/tcp
~ dns.queries
";
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), shown.to_owned()));
    let output = diff("version: 1\n", None, &[]);
    assert!(text(&output.stderr).contains("new.yaml cannot be used"), "{}", text(&output.stderr));
}

#[test]
fn decisions_that_would_be_others_are_told_and_no_more() {
    let new = OLD.replace("  - { domain: github.com, proto: ssh }\n", "").replace("port: 5432", "port: [5432, 6379]");
    for (client, dst) in [("10.77.1.2", "192.0.2.10"), ("fd77:1::2", "2001:db8::10")] {
        let events = [
            event(client, "allowed", Some("github.com"), dst, 22),
            event(client, "allowed", Some("github.com"), dst, 22),
            event(client, "allowed", Some("db.example.com"), dst, 5432),
            event(client, "port-not-allowed", Some("db.example.com"), dst, 6379),
            event(client, "no-observation", None, dst, 5432),
            event(client, "local-service", None, dst, 5432),
            "{\"gap\":3}".to_owned(),
            "{\"summary\":{\"allowed\":1}}".to_owned(),
        ];
        let output = diff(&new, Some(&events.join("\n")), &["--json"]);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = &answer["events"];
        assert_eq!((&found["decisions"], &found["changed"], &found["unknown"]), (&6.into(), &3.into(), &1.into()));
        let changes = found["changes"].as_array().unwrap();
        let said = |change: &Value| {
            let words = [&change["domain"], &change["before"]["reason"], &change["after"]["reason"]];
            (words.map(|word| word.as_str().unwrap().to_owned()), change["times"].as_u64().unwrap())
        };
        let wanted = [
            (["db.example.com", "port-not-allowed", "allowed"].map(str::to_owned), 1),
            (["github.com", "allowed", "port-not-allowed"].map(str::to_owned), 2),
        ];
        assert_eq!(changes.iter().map(said).collect::<Vec<_>>(), wanted);
        let output = diff(&new, Some(&events.join("\n")), &[]);
        let line = format!(
            "  {client} -> github.com port 22/tcp: allow (allowed, github.com:22/ssh) -> deny (port-not-allowed)  x2\n"
        );
        assert!(text(&output.stdout).contains(&line), "{}", text(&output.stdout));
    }
}

#[test]
fn audit_says_audit_where_enforce_says_deny() {
    let events = event("10.77.1.2", "no-observation", None, "192.0.2.10", 22);
    let output = diff(&format!("{OLD}mode: audit\n"), Some(&events), &["--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["events"]["changes"][0]["after"]["verdict"], "audit");
    assert_eq!((&answer["settings"], &answer["same"]), (&json!(["mode"]), &false.into()));
}

#[test]
fn a_line_that_is_no_event_is_named() {
    let events = format!("{}\nrubbish\n", event("10.77.1.2", "no-observation", None, "192.0.2.10", 22));
    let output = diff(OLD, Some(&events), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("events.jsonl, line 2: this is no event"), "{}", text(&output.stderr));
}
