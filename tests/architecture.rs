//! The direction of dependencies, read from the `use crate::` lines, and the purity of what is said to be pure.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What each module may use. A module that is not here may not exist.
const MAY_USE: &[(&str, &[&str])] = &[
    ("clock", &["model"]),
    ("nss", &[]),
    ("model", &[]),
    ("packet", &["model"]),
    ("dns", &["model"]),
    ("policy", &["model"]),
    ("decide", &["model", "dns", "policy"]),
    ("fast", &["model", "dns", "policy", "decide"]),
    ("record", &["model", "clock"]),
    ("filter", &["model", "record"]),
    ("queue", &["model", "clock", "packet", "dns", "policy", "decide", "fast", "record"]),
    ("relay", &["model", "clock", "dns", "policy", "record", "queue"]),
    ("replay", &["model", "packet", "dns", "policy", "record", "queue", "relay"]),
    ("review", &["model", "policy", "record"]),
    ("learn", &["model", "dns", "policy", "record"]),
    ("kernel", &["model", "policy", "fast"]),
    ("who", &["model", "kernel"]),
    ("envoy", &["model", "nss", "policy"]),
    ("control", &["model", "nss", "dns", "record", "decide"]),
    ("metrics", &["model", "clock", "policy", "record", "control"]),
    (
        "daemon",
        &[
            "model", "clock", "packet", "dns", "policy", "decide", "record", "queue", "relay", "kernel", "envoy",
            "control", "who", "metrics", "fast",
        ],
    ),
    ("say", &["model", "decide", "who"]),
    ("top", &["model", "clock", "decide", "record", "filter", "control", "say"]),
    ("doctor", &["model", "policy"]),
    ("survey", &["model", "clock", "policy", "kernel", "envoy", "control", "daemon", "doctor"]),
    (
        "cli",
        &[
            "model", "clock", "policy", "kernel", "envoy", "decide", "record", "filter", "replay", "review", "learn",
            "control", "daemon", "doctor", "survey", "who", "say", "top",
        ],
    ),
];

/// Modules without sockets, files, clocks, threads or logging.
const PURE: &[&str] = &["model", "packet", "dns", "policy", "decide", "fast", "filter", "review", "learn", "doctor"];

/// The pure parts of modules that also have edges: planners and readers.
const PURE_PLACES: &[&str] = &[
    "kernel/ruleset/",
    "kernel/backstop/assembler.rs",
    "kernel/backstop/object.rs",
    "kernel/backstop/plan.rs",
    "kernel/backstop/program.rs",
    "kernel/routing_plan.rs",
    "kernel/listing.rs",
    "kernel/names.rs",
    "queue/netlink/message.rs",
    "queue/netlink/request.rs",
    "queue/netlink/verdicts.rs",
    "replay/capture.rs",
    "replay/clients.rs",
    "replay/dns_stream.rs",
    "replay/flows.rs",
    "replay/gate.rs",
    "replay/link.rs",
    "replay/player/",
    "replay/reassembly.rs",
    "replay/resolvers.rs",
    "replay/totals.rs",
    "metrics/families.rs",
    "metrics/figures.rs",
    "metrics/page.rs",
    "metrics/request.rs",
    "top/group.rs",
    "top/history.rs",
    "top/keys.rs",
    "top/permit.rs",
    "top/row.rs",
    "top/sort.rs",
    "top/state.rs",
    "top/update.rs",
    "top/view/",
    "who/budget.rs",
    "who/unit.rs",
    "envoy/backoff.rs",
    "envoy/bootstrap.rs",
    "envoy/clusters.rs",
    "envoy/files.rs",
    "envoy/host.rs",
    "envoy/http.rs",
    "envoy/layout.rs",
    "envoy/listeners.rs",
    "envoy/meaning.rs",
    "envoy/offer.rs",
    "envoy/pattern.rs",
    "envoy/proto.rs",
    "envoy/state.rs",
    "envoy/transition.rs",
];

/// What a pure module never names.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::thread",
    "std::process",
    "std::env",
    "std::os",
    "TcpStream",
    "UdpSocket",
    "UnixStream",
    "tokio",
    "tracing",
    "crossbeam",
    "nix::",
    "netlink_packet",
    "netlink_sys",
    "rtnetlink",
    "crate::clock",
    "Instant::now",
    "SystemTime::now",
];

/// Longest file under src, in lines.
const MAX_LINES: usize = 400;

fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&root).unwrap();
                let module = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
                let text = fs::read_to_string(&path).unwrap();
                found.push((module, path, text));
            }
        }
    }
    assert!(found.len() > 20, "only {} sources found", found.len());
    found
}

/// Everything before the unit tests: those may use what they like.
fn shipped(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap()
}

fn used_modules(text: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for line in shipped(text).lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
        let mut rest = line;
        while let Some(at) = rest.find("crate::") {
            rest = &rest[at + "crate::".len()..];
            if let Some(list) = rest.strip_prefix('{') {
                panic!("one `use crate::` a module, please: {{{list}");
            }
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            used.insert(rest[..end].to_owned());
        }
    }
    used
}

#[test]
fn dependencies_go_one_way() {
    let rules: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        if module == "lib" || module == "main" {
            continue;
        }
        let Some(allowed) = rules.get(module.as_str()) else {
            wrong.push(format!("{}: module {module} has no place in the architecture", path.display()));
            continue;
        };
        for used in used_modules(&text) {
            if used != module && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{}: {module} may not use {used}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_core_is_pure() {
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        let planner = PURE_PLACES.iter().any(|place| path.to_string_lossy().contains(&format!("src/{place}")));
        if !planner && !PURE.contains(&module.as_str()) {
            continue;
        }
        for word in IMPURE {
            let named = shipped(&text)
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .any(|line| line.contains(word));
            if named {
                wrong.push(format!("{}: a pure module names {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_hold_one_noun() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|(_, path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > MAX_LINES)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}
