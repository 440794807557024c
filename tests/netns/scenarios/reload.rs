//! Another policy while decider runs.

use std::io;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::world::{DATABASE, Family, GITHUB, GITLAB, OpenFlow, Setup, World, both, eventually};

const GITHUB_SSH: &str = "{ domain: github.com, proto: ssh }";
const GITLAB_SSH: &str = "{ domain: gitlab.com, proto: ssh }";
const DATABASE_TCP: &str = "{ domain: db.example.com, proto: tcp, port: 5432 }";

fn with(rules: &[&str]) -> World {
    let world = Setup::default().build();
    world.gateway.write_rules(rules);
    world
}

fn started(rules: &[&str]) -> World {
    let mut world = with(rules);
    world.gateway.start();
    world
}

/// A connection of the first client, by name.
fn open(world: &World, name: &str, family: Family, port: u16) -> OpenFlow {
    let client = &world.clients[0];
    OpenFlow::new(client.connect(client.look_up(name, family)[0], port).unwrap())
}

/// What `rules` says of an id.
fn rule(world: &World, id: &str) -> Value {
    let rules = world.gateway.json(&["rules"]);
    rules.as_array().unwrap().iter().find(|rule| rule["id"] == id).unwrap_or_else(|| panic!("no {id}: {rules}")).clone()
}

fn epoch(world: &World) -> u64 {
    world.gateway.status()["epoch"].as_u64().unwrap()
}

#[test]
fn a_rule_that_is_added_works_at_once_and_one_that_is_removed_is_refused_at_once() {
    let world = started(&[GITHUB_SSH, DATABASE_TCP]);
    let mut kept = Family::BOTH.map(|family| open(&world, "github.com", family, 22));
    both(|family| world.clients[0].is_refused(world.clients[0].look_up("gitlab.com", family)[0], 22));

    world.gateway.write_rules(&[GITHUB_SSH, GITLAB_SSH]);
    let answer = world.gateway.reloads();
    assert_eq!(
        (&answer["added"], &answer["removed"]),
        (&json!(["gitlab.com:22/ssh"]), &json!(["db.example.com:5432/tcp"]))
    );
    assert_eq!(epoch(&world), 2);
    both(|family| {
        // What was looked up before the rule came counts.
        let reached = world.clients[0].reach(GITLAB.of(family), 22).unwrap();
        assert!(GITLAB.both().contains(&reached));
        world.clients[0].is_refused(world.clients[0].look_up("db.example.com", family)[0], 5432);
    });
    // Others feel nothing, also not once Envoy has ended what it was to end.
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(kept.iter_mut().all(OpenFlow::is_alive));
    world.gateway.adds_up();
    assert_eq!(world.internet.wire.leaked(), []);
}

#[test]
fn ids_keep_their_marks_and_ports() {
    let world = started(&[GITHUB_SSH, DATABASE_TCP]);
    let known = ["github.com:22/ssh", "db.example.com:5432/tcp"].map(|id| rule(&world, id));
    world.gateway.write_rules(&[DATABASE_TCP, GITLAB_SSH]);
    world.gateway.reloads();
    world.gateway.write_rules(&[GITLAB_SSH, "{ domain: one.example, proto: ssh }", GITHUB_SSH, DATABASE_TCP]);
    world.gateway.reloads();
    assert_eq!(rule(&world, "db.example.com:5432/tcp"), known[1]);
    // Nobody else was given what the one had that was away for a while.
    let marks: Vec<Value> =
        ["gitlab.com:22/ssh", "one.example:22/ssh"].map(|id| rule(&world, id)["mark"].clone()).into();
    assert!(!marks.contains(&known[0]["mark"]), "{marks:?}");
    both(|family| {
        let reached = world.clients[0].reach_name("github.com", family, 22).unwrap();
        assert!(GITHUB.both().contains(&reached));
    });
}

#[test]
fn a_rule_that_leads_elsewhere_leads_nobody_astray() {
    let world = started(&["{ id: mine, domain: github.com, proto: ssh }"]);
    both(|family| assert!(GITHUB.both().contains(&world.clients[0].reach_name("github.com", family, 22).unwrap())));
    let before = rule(&world, "mine");
    world.gateway.write_rules(&["{ id: mine, domain: gitlab.com, proto: ssh }"]);
    let answer = world.gateway.reloads();
    assert_eq!(answer["changed"], json!([{ "id": "mine", "what": ["domain: github.com -> gitlab.com"] }]));
    both(|family| {
        assert!(GITLAB.both().contains(&world.clients[0].reach_name("gitlab.com", family, 22).unwrap()));
        world.clients[0].is_refused(GITHUB.of(family), 22);
    });
    let after = rule(&world, "mine");
    assert_eq!((&after["mark"], &after["listener_port"]), (&before["mark"], &before["listener_port"]));
}

#[test]
fn a_broken_file_changes_nothing_and_says_the_line() {
    let world = started(&[GITHUB_SSH]);
    let mut flow = open(&world, "github.com", Family::V4, 22);
    let good = world.gateway.policy();
    world.gateway.write_policy(&format!("{good}  - {{ domain: a.example, proto: smoke }}\n"));
    let line = good.lines().count() + 1;
    for arguments in [&[][..], &["--dry-run"]] {
        let (code, answer) = world.gateway.reload(arguments);
        assert_eq!((code, &answer["failure"]["kind"]), (1, &"policy".into()), "{answer}");
        assert_eq!(
            (&answer["diagnostics"][0]["line"], &answer["diagnostics"][0]["column"]),
            (&line.into(), &33.into())
        );
    }
    let output = world.gateway.cli(&["reload"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("policy.yaml:{line}:33")) && said.contains("smoke"), "{said}");
    world.gateway.wait_until_degraded("reload");
    let status = world.gateway.status();
    assert_eq!((&status["epoch"], &status["reload"]["ok"]), (&1.into(), &false.into()));
    let log = world.gateway.process.as_ref().unwrap().log();
    assert!(log.contains(&format!("policy.yaml:{line}:33")), "{log}");
    // The old one goes on as a whole.
    assert!(flow.is_alive());
    both(|family| assert!(world.clients[0].reach_name("github.com", family, 22).is_ok()));

    std::fs::remove_file(world.gateway.path("policy.yaml")).unwrap();
    let (code, answer) = world.gateway.reload(&[]);
    assert_eq!((code, &answer["failure"]["kind"]), (4, &"system".into()), "{answer}");
    world.gateway.write_policy(&good);
    world.gateway.reloads();
    world.gateway.wait_until_ready();
    assert!(flow.is_alive());
}

#[test]
fn what_counts_for_a_run_is_refused_by_name() {
    let world = started(&[GITHUB_SSH]);
    let good = world.gateway.policy();
    world.gateway.write_policy(&good.replace("envoy: {", "marks: { mask: \"0xff00\" }\nenvoy: { first_port: 20000,"));
    let (code, answer) = world.gateway.reload(&[]);
    assert_eq!((code, &answer["failure"]["kind"]), (1, &"restart".into()), "{answer}");
    let message = answer["failure"]["message"].as_str().unwrap();
    assert!(message.starts_with("envoy.first_port, marks.mask can only be changed by a restart"), "{message}");
    // Whoever is covered: the host's own processes, beside the clients.
    let with_host = good
        .replace("intercept: { ", "intercept: { host: true, ")
        .replace("manage: true,", "manage: true, user: 64320,");
    world.gateway.write_policy(&with_host);
    for arguments in [&[][..], &["--dry-run"]] {
        let (code, answer) = world.gateway.reload(arguments);
        assert_eq!((code, &answer["failure"]["kind"]), (1, &"restart".into()), "{answer}");
        let message = answer["failure"]["message"].as_str().unwrap();
        let expected = "intercept.host, envoy.user can only be changed by a restart of decider: nothing was changed";
        assert!(message.starts_with(expected), "{message}");
    }
    assert_eq!(epoch(&world), 1);
    // What does no harm until then is only told.
    world.gateway.write_policy(&good.replace("dns: {", "dns: { capacity: 5000, min_ttl: 90s,"));
    let answer = world.gateway.reloads();
    assert_eq!(answer["settings"], json!(["dns.min_ttl", "dns.capacity"]));
    assert_eq!(answer["notes"], json!(["dns.capacity counts from the next start on"]));
}

#[test]
fn two_at_once_and_signals_have_one_outcome() {
    let world = started(&[GITHUB_SSH]);
    for round in 0..5 {
        let rules: &[&str] = if round % 2 == 0 { &[GITHUB_SSH, GITLAB_SSH] } else { &[GITHUB_SSH] };
        world.gateway.write_rules(rules);
        std::thread::scope(|scope| {
            let both: Vec<_> = (0..2).map(|_| scope.spawn(|| world.gateway.reloads())).collect();
            world.gateway.process.as_ref().unwrap().signal(Signal::SIGHUP);
            let epochs: Vec<u64> = both.into_iter().map(|it| it.join().unwrap()["epoch"].as_u64().unwrap()).collect();
            assert!(epochs.iter().all(|&epoch| epoch > 1), "{epochs:?}");
        });
        let ids = world.gateway.json(&["rules"]);
        assert_eq!(ids.as_array().unwrap().len(), rules.len());
    }
}

#[test]
fn a_signal_reloads() {
    let world = started(&[GITHUB_SSH]);
    world.gateway.write_rules(&[GITHUB_SSH, GITLAB_SSH]);
    world.gateway.process.as_ref().unwrap().signal(Signal::SIGHUP);
    eventually("the new rule", || (world.gateway.json(&["rules"]).as_array()?.len() == 2).then_some(()));
    both(|family| assert!(world.clients[0].reach_name("gitlab.com", family, 22).is_ok()));
}

#[test]
fn a_mode_is_changed_with_all_that_belongs_to_it() {
    let world = started(&[GITHUB_SSH]);
    let enforce = world.gateway.policy();
    let stranger = crate::world::STRANGER;
    for _ in 0..2 {
        world.gateway.write_policy(&format!("mode: audit\n{enforce}"));
        world.gateway.reloads();
        both(|family| assert_eq!(world.clients[0].reach(stranger.of(family), 22).unwrap(), stranger.of(family)));
        world.gateway.write_policy(&enforce);
        world.gateway.reloads();
        both(|family| world.clients[0].is_refused(stranger.of(family), 22));
    }
    world.gateway.namespace.sh("nft flush ruleset");
    world.gateway.wait_until_ready();
    assert_eq!(world.gateway.status()["heal"]["routes"], 0);
}

/// Refusals that the kernel counts by itself go on where they were.
#[test]
fn counters_go_on() {
    let world = started(&[GITHUB_SSH]);
    both(|family| drop(world.clients[0].connect(DATABASE.of(family), 5432)));
    let refused = |world: &World| world.gateway.status()["refused_in_kernel"]["port-not-allowed"].as_u64().unwrap();
    let before = refused(&world);
    assert!(before >= 2);
    world.gateway.write_rules(&[GITHUB_SSH, GITLAB_SSH]);
    world.gateway.reloads();
    assert_eq!(refused(&world), before);
    let error = world.clients[0].connect(DATABASE.of(Family::V4), 5432).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(refused(&world), before + 1);
}

/// An editor renames over, a shell writes into, a configuration manager swaps links.
#[test]
fn a_watched_file_is_reloaded_however_it_is_changed() {
    let mut world = with(&[GITHUB_SSH]);
    let (policy, first, second) = (world.gateway.path("policy.yaml"), world.gateway.path("1"), world.gateway.path("2"));
    let text = |count: usize| {
        let rules = [GITHUB_SSH, GITLAB_SSH, DATABASE_TCP, "{ domain: one.example, proto: ssh }"];
        world.gateway.write_rules(&rules[..count]);
        world.gateway.policy()
    };
    let [one, two, three, four] = [1, 2, 3, 4].map(text);
    std::fs::remove_file(&policy).unwrap();
    // As kubelet does it: ..data is swapped, and nothing happens where the file is.
    for (folder, content) in [(&first, &one), (&second, &two)] {
        std::fs::create_dir(folder).unwrap();
        std::fs::write(folder.join("policy.yaml"), content).unwrap();
    }
    let data = world.gateway.path("..data");
    std::os::unix::fs::symlink("1", &data).unwrap();
    std::os::unix::fs::symlink("..data/policy.yaml", &policy).unwrap();
    world.gateway.arguments.push("--watch".to_owned());
    world.gateway.start();
    let has = |world: &World, count: usize| {
        eventually(&format!("{count} rules"), || {
            (world.gateway.json(&["rules"]).as_array()?.len() == count).then_some(())
        });
    };
    has(&world, 1);
    let swapped = world.gateway.path("..data.new");
    std::os::unix::fs::symlink("2", &swapped).unwrap();
    std::fs::rename(&swapped, &data).unwrap();
    has(&world, 2);
    // Into the file that the links lead to.
    std::fs::write(second.join("policy.yaml"), &three).unwrap();
    has(&world, 3);
    // Over the link itself, a broken file in between.
    let new = world.gateway.path("policy.yaml.new");
    std::fs::write(&new, "version: 2\n").unwrap();
    std::fs::rename(&new, &policy).unwrap();
    world.gateway.wait_until_degraded("reload");
    std::fs::remove_file(&policy).unwrap();
    std::fs::write(&new, &four).unwrap();
    std::fs::rename(&new, &policy).unwrap();
    has(&world, 4);
    world.gateway.wait_until_ready();
    // What is written again as it was is no change.
    let before = epoch(&world);
    std::fs::write(&policy, &four).unwrap();
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(epoch(&world), before);
}
