//! Policy files as a whole: what is accepted, what is refused and with which words.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod accepted;
mod broken;
mod defaults;
mod docs;
mod large;
mod later;
mod names;
mod robust;
mod schema;
mod slots;
mod temporary;
mod wildcards;

use std::fs;
use std::path::{Path, PathBuf};

use decider::policy::{Code, Diagnostic, Spec, load};

/// A policy in which every key is written, one a line, most of them with another value than the default.
const FULL: &str = "\
version: 1
mode: audit
deny: drop
intercept:
  gateway:
    interfaces: [docker0, \"br-*\"]
    networks: [10.77.1.0/24, \"2001:db8:1::/64\"]
  host: false
dns:
  resolvers: [10.77.2.53, \"2001:db8:2::53\"]
  queries: any
  min_ttl: 90s
  grace: 15s
  max_ttl: 12h
  capacity: 5000
  scope: client
  on_ambiguous: deny
  allow_private: true
envoy:
  manage: true
  binary: /opt/envoy/bin/envoy
  user: decider-envoy
  config_dir: /run/elsewhere
  listen: 127.0.0.9
  first_port: 20000
marks:
  mask: \"0x0ff00ff0\"
metrics: { listen: \"[::1]:9000\" }
events: { file: /var/log/events.jsonl, rotate: { size: 1MiB, keep: 2 } }
upstream: original
fast_path: false
rules:
  - id: orders
    domain: db.example.com
    proto: tcp
    port: 5432
    action: deny
    clients: [0.0.0.0/0, \"::/0\"]
    expires: 2099-01-31T18:00:00+01:00
  - { domain: github.com, proto: ssh }
";

/// The least that a policy needs, with these rules: flow mappings, one a line.
fn with_rules(rules: &[&str]) -> String {
    let rules: Vec<String> = rules.iter().map(|rule| format!("  - {rule}\n")).collect();
    let rules = rules.concat();
    format!(
        "version: 1\nintercept: {{ gateway: {{ interfaces: [lan0] }} }}\ndns: {{ resolvers: [192.0.2.53] }}\nrules:\n{rules}"
    )
}

/// [`FULL`] with another value for a key.
fn with(key: &str, value: &str) -> String {
    let begin = format!("{key}: ");
    let changed = |line: &str| match line.trim_start().strip_prefix("- ").unwrap_or(line.trim_start()) {
        written if written.starts_with(&begin) => {
            format!("{}{begin}{value}\n", line.split_at(line.len() - written.len()).0)
        }
        _ => format!("{line}\n"),
    };
    let text = FULL.lines().map(changed).collect::<Vec<_>>().concat();
    assert_ne!(text, FULL, "{key} is not in the policy, or has this value");
    text
}

fn accepted(text: &str) -> Spec {
    let loaded = load(text).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"));
    assert_eq!(loaded.warnings, [], "{text}");
    loaded.spec
}

fn refused(text: &str) -> Vec<Diagnostic> {
    match load(text) {
        Ok(loaded) => panic!("accepted: {loaded:#?}\n{text}"),
        Err(problems) => problems,
    }
}

fn codes(problems: &[Diagnostic]) -> Vec<Code> {
    problems.iter().map(|problem| problem.code).collect()
}

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
