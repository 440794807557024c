//! The dashboard and the alerts of `docs/monitoring` with the real Prometheus: everything that they ask for is there.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::world::{Family, GATEWAY, GATEWAY_INSIDE, Prometheus, STRANGER, Scrape, Setup, World, both, eventually};

const FOLDER: &str = "docs/monitoring";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

/// The rules, without their patience.
fn rules_at_once() -> String {
    read("decider.rules.yml")
        .lines()
        .filter(|line| !line.trim_start().starts_with("for: "))
        .fold(String::new(), |text, line| text + line + "\n")
}

/// What the panels of the dashboard ask for, for every instance.
fn asked_by_the_dashboard() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read("decider.dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let expressions = targets.map(|target| target["expr"].as_str().unwrap());
    expressions.map(|text| text.replace("$instance", ".*").replace("$__rate_interval", "1m")).collect()
}

/// The names of decider's metrics in a text.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("decider_")).map(str::to_owned).collect()
}

/// One of each that the dashboard shows.
fn play(world: &World) {
    both(|family| {
        world.clients[0].reach_name("github.com", family, 22).unwrap();
        world.clients[0].is_refused(STRANGER.of(family), 22);
        world.clients[0].is_refused(GATEWAY_INSIDE.of(family), 22);
    });
}

fn watched(family: Family) -> (World, SocketAddr, Prometheus) {
    let mut world = Setup::default().build();
    let address = SocketAddr::new(GATEWAY.of(family), 9533);
    let file = world.gateway.path("events/events.jsonl");
    world
        .gateway
        .add_to_policy(&format!("metrics: {{ listen: \"{address}\" }}\nevents: {{ file: {} }}", file.display()));
    world.gateway.start();
    let folder = world.gateway.path("prometheus");
    let prometheus = Prometheus::start(&world.internet.namespace, &folder, address, &rules_at_once());
    (world, address, prometheus)
}

#[test]
fn dashboard_and_alerts_find_what_they_ask_for_and_an_alert_fires() {
    for family in Family::BOTH {
        let (world, address, prometheus) = watched(family);
        eventually("a scrape", || prometheus.query("up").iter().any(|up| up["value"][1] == "1").then_some(()));
        play(&world);
        world.gateway.reloads();
        let scrape = Scrape::tcp(&world.internet.namespace, address).unwrap();
        let families: BTreeSet<String> = scrape.families().into_keys().collect();
        let base = |name: &str| {
            let ending = ["_bucket", "_sum", "_count"].iter().find_map(|ending| name.strip_suffix(ending));
            ending.filter(|base| families.contains(*base)).unwrap_or(name).to_owned()
        };
        let expressions = asked_by_the_dashboard();
        assert!(expressions.len() > 30, "only {}", expressions.len());
        for text in expressions.iter().chain([&read("decider.rules.yml")]) {
            let unknown: Vec<String> =
                metrics_in(text).into_iter().filter(|name| !families.contains(&base(name))).collect();
            assert!(unknown.is_empty(), "{unknown:?} in {text}");
        }
        for expression in &expressions {
            eventually(&format!("data for {expression}"), || (!prometheus.query(expression).is_empty()).then_some(()));
        }
        assert_eq!(prometheus.broken_rules(), Vec::<Value>::new());
        assert_eq!(prometheus.firing(), Vec::<Value>::new());

        std::fs::write(world.gateway.path("policy.yaml"), "version: 1\n").unwrap();
        assert_eq!(world.gateway.reload(&[]).0, 1);
        let fires = |name: &str, what: Option<&str>| {
            prometheus
                .firing()
                .iter()
                .any(|alert| alert["alertname"] == name && what.is_none_or(|what| alert["what"] == what))
        };
        eventually("an alert", || fires("DeciderDegraded", Some("reload")).then_some(()));
        eventually("another", || fires("DeciderReloadFailed", None).then_some(()));
        assert!(!fires("DeciderDegraded", Some("ruleset")));
    }
}

#[test]
fn the_rules_are_as_prometheus_wants_them_and_each_fires() {
    let output = Command::new("promtool").args(["check", "rules"]).arg(path("decider.rules.yml")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let tried = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/netns/fixtures/alerts.yml");
    let tests = std::fs::read_to_string(&tried).unwrap();
    for line in read("decider.rules.yml").lines() {
        if let Some(alert) = line.trim_start().strip_prefix("- alert: ") {
            assert!(tests.contains(&format!("alertname=\"{alert}\"")), "{alert} is not tried");
        }
    }
    let output = Command::new("promtool").args(["test", "rules"]).arg(&tried).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
