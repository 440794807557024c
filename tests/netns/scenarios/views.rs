//! What decider says agrees with what happened, in the fields that are promised.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::{Family, GATEWAY_INSIDE, GITHUB, Gateway, STRANGER, Setup, World, both};

const EVENT: &[&str] = &[
    "ts",
    "verdict",
    "reason",
    "rule",
    "domain",
    "client",
    "client_port",
    "dst",
    "dst_port",
    "proto",
    "mark",
    "iface",
    "path",
    "waited_us",
];
const STEPS_ASIDE: &[&str] = &["also", "repeated"];

fn has_fields(event: &Value, fields: &[&str], perhaps: &[&str]) {
    let found: BTreeSet<&str> = event.as_object().unwrap().keys().map(String::as_str).collect();
    let wanted: BTreeSet<&str> = fields.iter().copied().collect();
    let missing: Vec<_> = wanted.difference(&found).collect();
    let new: Vec<_> = found.difference(&wanted).filter(|field| !perhaps.contains(field)).collect();
    assert!(missing.is_empty() && new.is_empty(), "missing {missing:?}, new {new:?} in {event}");
}

fn explained(gateway: &Gateway, client: &str, dst: &str, port: u16) -> (Option<i32>, Value) {
    let port = port.to_string();
    let arguments = ["explain", "--client", client, "--dst", dst, "--port", &port];
    (gateway.cli(&arguments).status.code(), gateway.json(&arguments))
}

fn happens(world: &World, family: Family) {
    let client = world.clients[0].address(family).to_string();
    let (github, stranger) = (GITHUB.of(family), STRANGER.of(family));
    assert!(GITHUB.both().contains(&world.clients[0].reach_name("github.com", family, 22).unwrap()));
    world.clients[0].is_refused(stranger, 22);
    world.clients[0].is_refused(github, 5432);

    let event = world.gateway.event(github, 22, "allowed");
    assert_eq!(event["rule"], "github.com:22/ssh");
    assert_eq!((&event["domain"], &event["client"]), (&"github.com".into(), &client.clone().into()), "{event}");
    assert_eq!(event["iface"], "lan1", "{event}");
    // The kernel may have known already.
    assert!(["queue", "fast"].contains(&event["path"].as_str().unwrap()), "{event}");
    assert_eq!((&event["proto"], &event["verdict"]), (&"tcp".into(), &"allow".into()), "{event}");
    let rules = world.gateway.json(&["rules"]);
    let rule = rules.as_array().unwrap().iter().find(|rule| rule["id"] == event["rule"]).unwrap();
    assert_eq!((&rule["mark"], &rule["ready"]), (&event["mark"], &true.into()));
    for event in world.gateway.events() {
        has_fields(&event, EVENT, STEPS_ASIDE);
    }

    for (dst, port, code, reason) in [
        (github, 22, 0, "allowed"),
        (stranger, 22, 1, "no-observation"),
        (github, 5432, 1, "port-not-allowed"),
        (GATEWAY_INSIDE.of(family), 22, 1, "local-service"),
    ] {
        let (found, explanation) = explained(&world.gateway, &client, &dst.to_string(), port);
        assert_eq!((found, &explanation["reason"]), (Some(code), &reason.into()), "{explanation}");
    }
}

#[test]
fn events_explain_rules_and_cache_agree_with_what_happened() {
    let world = Setup::default().start();
    both(|family| happens(&world, family));
    let cache = world.gateway.json(&["cache", "--name", "github.com"]);
    let entries = cache.as_array().unwrap();
    assert_eq!(entries.len(), 2, "{cache}");
    for entry in entries {
        assert!(GITHUB.both().iter().any(|address| entry["address"] == address.to_string()), "{entry}");
        assert_eq!((&entry["ttl_s"], &entry["state"]), (&60.into(), &"live".into()), "{entry}");
        assert!(entry["left_s"].as_u64().unwrap() <= 90);
    }
    let status = world.gateway.status();
    assert_eq!((&status["state"], &status["mode"]), (&"ok".into(), &"enforce".into()), "{status}");
    assert_eq!((&status["counters"]["allowed"], &status["counters"]["denied"]), (&2.into(), &12.into()), "{status}");
    assert_eq!(status["listeners_ready"], status["listeners"]);
    assert_eq!((&status["envoy"]["state"], &status["envoy"]["managed"]), (&"live".into(), &true.into()));
    world.gateway.adds_up();
}

#[test]
fn followed_events_come_as_they_happen() {
    let world = Setup::default().start();
    let follower = world.gateway.follow_events();
    both(|family| {
        world.clients[0].is_refused(STRANGER.of(family), 22);
        let address = STRANGER.of(family).to_string();
        crate::world::eventually("an event in the stream", || follower.log().contains(&address).then_some(()));
    });
    for line in follower.log().lines() {
        has_fields(&serde_json::from_str(line).unwrap(), EVENT, STEPS_ASIDE);
    }
}
