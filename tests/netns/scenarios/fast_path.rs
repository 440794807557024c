//! `fast_path: true`: what was decided once is decided in the kernel, as the queue would, and no longer.

use std::net::IpAddr;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use serde_json::Value;

use crate::world::{
    Family, GITHUB, GITLAB, Pair, SHARED, STRANGER, Setup, World, both, eventually, listener_connections, within,
};

pub(super) fn on() -> Setup {
    Setup { top: "fast_path: true", ..Setup::default() }
}

/// Looks up and connects until the kernel lets it through alone: the event of that.
pub(super) fn left_to_kernel(world: &World, client: usize, name: &str, to: Pair, family: Family) -> Value {
    assert_eq!(world.clients[client].look_up(name, family), [to.of(family)]);
    let own = world.clients[client].address(family).to_string();
    eventually("a connection that the kernel decides", || {
        reaches(world, client, to, family);
        let is_it = |event: &Value| event["path"] == "fast" && event["client"] == own && is_to(event, to.of(family));
        within(Duration::from_secs(1), || world.gateway.events().into_iter().rfind(is_it))
    })
}

/// Connects with a mark of another program's, which always goes to the queue: the event of that.
fn left_to_queue(world: &World, family: Family) -> Value {
    let gateway = &world.gateway.namespace;
    gateway.sh("nft 'add table inet others; add chain inet others in { type filter hook prerouting priority -300; };
        add rule inet others in meta mark set 0x1'");
    assert_eq!(world.clients[0].look_up("github.com", family), [GITHUB.of(family)]);
    reaches(world, 0, GITHUB, family);
    let is_queued = |event: &Value| event["path"] == "queue" && is_to(event, GITHUB.of(family));
    let queued = eventually("its event", || world.gateway.events().into_iter().find(is_queued));
    gateway.sh("nft delete table inet others");
    queued
}

pub(super) fn reaches(world: &World, client: usize, to: Pair, family: Family) {
    let reached = world.clients[client].reach(to.of(family), 22);
    assert!(to.both().contains(&reached.unwrap()));
}

fn is_to(event: &Value, address: IpAddr) -> bool {
    event["dst"] == address.to_string() && event["verdict"] == "allow"
}

pub(super) fn elements(world: &World) -> u64 {
    world.gateway.status()["fast_path"]["elements"].as_u64().unwrap()
}

/// How many allowed connections events tell of, by who decided.
fn told(world: &World, path: &str) -> u64 {
    let events = world.gateway.events();
    let those = events.iter().filter(|event| event["path"] == path && event["verdict"] == "allow");
    those.map(|event| event["repeated"].as_u64().unwrap_or(1)).sum()
}

pub(super) fn nothing_got_out(world: &World) {
    assert_eq!(world.internet.wire.leaked(), []);
    world.gateway.adds_up();
}

#[test]
fn what_the_kernel_decides_is_told_and_counted_like_what_the_queue_decides() {
    let world = on().start();
    both(|family| {
        let queued = left_to_queue(&world, family);
        let fast = left_to_kernel(&world, 0, "github.com", GITHUB, family);
        for field in ["verdict", "reason", "rule", "domain", "client", "dst", "dst_port", "proto", "mark", "iface"] {
            assert_eq!(fast[field], queued[field], "{field}: {fast}");
        }
        for _ in 0..20 {
            reaches(&world, 0, GITHUB, family);
        }
        let (client, dst) = (world.clients[0].address(family).to_string(), GITHUB.of(family).to_string());
        let explained = world.gateway.json(&["explain", "--client", &client, "--dst", &dst, "--port", "22"]);
        assert!(explained.to_string().contains("the kernel lets such connections through by itself"), "{explained}");
        // Nobody else has anything of it.
        world.clients[0].is_refused(STRANGER.of(family), 22);
    });
    let mut last = (Value::Null, 0, 0, 0);
    let mut counters = Value::Null;
    let agrees = within(Duration::from_secs(20), || {
        let status = world.gateway.status();
        counters = status["counters"].clone();
        let fast = status["fast_path"].clone();
        let delivered = listener_connections(&world.gateway)["github.com"];
        last = (fast, told(&world, "fast"), told(&world, "queue"), delivered);
        let (fast, by_kernel, by_queue, delivered) = &last;
        let number = |name: &str| fast[name].as_u64().unwrap();
        let is_told = number("allowed") == number("told") && number("told") - number("repeated") == *by_kernel;
        // Those of both are counted as let through.
        let counted = |name: &str| counters[name].as_u64().unwrap();
        let is_counted = counted("allowed") == by_kernel + by_queue + counted("repeated_syns")
            && counted("fast") == number("allowed");
        (is_told && is_counted && by_kernel + by_queue == *delivered && *by_kernel >= 20).then_some(())
    });
    assert!(
        agrees.is_some(),
        "status, events by the kernel, by the queue, and Envoy do not agree: {last:?}, {counters}"
    );
    assert_eq!(elements(&world), 2);
    assert_eq!(last.0["ends_with"], "process");
    nothing_got_out(&world);
}

#[test]
fn an_element_ends_with_what_it_rests_on() {
    let world = Setup { dns: ", min_ttl: 8s, max_ttl: 8s, grace: 0s", ..on() }.start();
    both(|family| {
        left_to_kernel(&world, 0, "github.com", GITHUB, family);
        eventually("a refusal", || world.clients[0].connect(GITHUB.of(family), 22).is_err().then_some(()));
        world.gateway.event(GITHUB.of(family), 22, "observation-expired");
        left_to_kernel(&world, 0, "github.com", GITHUB, family);
    });
    nothing_got_out(&world);
}

#[test]
fn a_second_name_of_an_address_takes_it_back_before_its_answer_is_there() {
    let world = on().start();
    both(|family| {
        for client in [0, 1] {
            left_to_kernel(&world, client, "one.example", SHARED, family);
            let before = listener_connections(&world.gateway);
            assert_eq!(world.clients[client].look_up("two.example", family), [SHARED.of(family)]);
            for _ in 0..3 {
                reaches(&world, client, SHARED, family);
            }
            let after = listener_connections(&world.gateway);
            assert_eq!(after["two.example"] - before["two.example"], 3, "{family:?}");
            assert_eq!(after["one.example"], before["one.example"]);
        }
    });
    assert_eq!(elements(&world), 0);
    nothing_got_out(&world);
}

#[test]
fn a_reload_and_the_end_of_a_temporary_rule_take_it_back() {
    let world = Setup { rules: "[{ domain: gitlab.com, proto: ssh }]", ..on() }.start();
    both(|family| {
        for revoked in [true, false] {
            let lasts = if revoked { "10m" } else { "12s" };
            assert!(world.gateway.cli(&["allow", "github.com", "--for", lasts]).status.success());
            left_to_kernel(&world, 0, "github.com", GITHUB, family);
            if revoked {
                assert!(world.gateway.cli(&["allow", "--revoke", "github.com"]).status.success());
                world.clients[0].is_refused(GITHUB.of(family), 22);
            } else {
                eventually("its end", || world.clients[0].connect(GITHUB.of(family), 22).is_err().then_some(()));
            }
            world.gateway.event(GITHUB.of(family), 22, "name-not-allowed");
        }
        left_to_kernel(&world, 0, "gitlab.com", GITLAB, family);
    });
    world.gateway.write_rules(&["{ domain: github.com, proto: ssh }"]);
    world.gateway.reloads();
    assert_eq!(elements(&world), 0);
    both(|family| {
        world.clients[0].is_refused(GITLAB.of(family), 22);
        left_to_kernel(&world, 0, "github.com", GITHUB, family);
    });
    // Where the policy does not want it there is nothing of it any more.
    world.gateway.write_policy(&world.gateway.policy().replace("fast_path: true", "fast_path: false"));
    world.gateway.reloads();
    assert_eq!(world.gateway.status()["fast_path"]["state"], "off");
    assert!(!world.gateway.namespace.sh("nft list table inet decider").contains("fast"));
    both(|family| reaches(&world, 0, GITHUB, family));
    nothing_got_out(&world);
}

#[test]
fn without_envoy_it_is_empty() {
    let world = on().start();
    both(|family| drop(left_to_kernel(&world, 0, "github.com", GITHUB, family)));
    let envoy = world.gateway.envoy_pid();
    kill(envoy, Signal::SIGSTOP).unwrap();
    world.gateway.wait_until_degraded("envoy");
    both(|family| {
        world.clients[0].is_refused(GITHUB.of(family), 22);
        world.gateway.event(GITHUB.of(family), 22, "listener-not-ready");
    });
    assert_eq!(elements(&world), 0);
    kill(envoy, Signal::SIGCONT).unwrap();
    world.gateway.wait_until_ready();
    both(|family| drop(left_to_kernel(&world, 0, "github.com", GITHUB, family)));
    kill(world.gateway.envoy_pid(), Signal::SIGKILL).unwrap();
    eventually("another Envoy", || (world.gateway.status()["envoy"]["restarts"] == 1).then_some(()));
    world.gateway.wait_until_ready();
    both(|family| drop(left_to_kernel(&world, 0, "github.com", GITHUB, family)));
    nothing_got_out(&world);
}

#[test]
fn a_ruleset_that_was_flushed_comes_back_with_an_empty_map() {
    let world = on().start();
    both(|family| drop(left_to_kernel(&world, 0, "github.com", GITHUB, family)));
    world.gateway.namespace.sh("nft flush ruleset");
    both(|family| world.clients[1].is_shut_out(STRANGER.of(family), 22));
    eventually("a repair", || (world.gateway.status()["heal"]["ruleset"] == 1).then_some(()));
    world.gateway.wait_until_ready();
    both(|family| drop(left_to_kernel(&world, 0, "github.com", GITHUB, family)));
    // decider's own changes of the map are no damage that it would repair.
    assert_eq!(world.gateway.status()["heal"]["ruleset"], 1);
    world.works();
}
