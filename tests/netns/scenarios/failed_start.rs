//! A start that cannot work says why in one error, with the exit code of its kind, and leaves nothing behind.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};

use decider::queue::{NfqQueue, QueueOptions};

use crate::world::{Gateway, STRANGER, Setup, World, both, kernel_state};

/// The exit code of "the system refused".
const REFUSED: i32 = 4;

fn fails(world: &mut World, code: i32, words: &[&str]) {
    let before = kernel_state(&world.gateway.namespace);
    let start = world.gateway.failed_start();
    assert_eq!(start.code, Some(code), "{}", start.log);
    for word in words {
        assert!(start.log.contains(word), "no {word:?} in: {}", start.log);
    }
    let errors = start.log.lines().filter(|line| line.starts_with("error")).count();
    assert_eq!(errors, 1, "{}", start.log);
    before.is_unchanged(&world.gateway.namespace);
    assert_eq!(world.gateway.namespace.processes(), []);
    both(|family| assert!(world.clients[0].reach(STRANGER.of(family), 22).is_ok()));
}

/// The same world starts once what was wrong is put right.
fn starts_after_all(world: &mut World) {
    world.gateway.start();
    both(|family| world.clients[0].is_refused(STRANGER.of(family), 22));
}

#[test]
fn a_tool_is_missing() {
    let mut world = Setup::default().build();
    let nowhere = world.gateway.path("nowhere").display().to_string();
    world.gateway.environment = vec![("PATH".to_owned(), nowhere)];
    fails(&mut world, REFUSED, &["nft"]);
    world.gateway.environment = vec![];
    starts_after_all(&mut world);
}

#[test]
fn a_capability_is_missing() {
    let mut world = Setup::default().build();
    world.gateway.wrapper = ["setpriv", "--bounding-set=-net_admin"].map(str::to_owned).to_vec();
    fails(&mut world, REFUSED, &["CAP_NET_ADMIN"]);
    world.gateway.wrapper = vec![];
    starts_after_all(&mut world);
}

#[test]
fn a_listeners_port_is_taken() {
    let mut world = Setup::default().build();
    for host in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        // The relay's, and a rule's.
        for port in [15099, 15101] {
            let taken = world.gateway.namespace.enter(|| TcpListener::bind((host, port)).unwrap());
            fails(&mut world, REFUSED, &[&port.to_string(), "first_port"]);
            drop(taken);
        }
    }
    starts_after_all(&mut world);
}

#[test]
fn a_queue_is_taken() {
    let mut world = Setup::default().build();
    for number in [5300, 5302] {
        let options = QueueOptions { number, copy_range: 128, max_length: 16 };
        let taken = world.gateway.namespace.enter(|| NfqQueue::open(options).unwrap());
        fails(&mut world, REFUSED, &[&number.to_string(), "taken", "--first-queue"]);
        drop(taken);
    }
    starts_after_all(&mut world);
}

#[test]
fn the_socket_or_the_state_is_anothers() {
    let mut world = Setup::default().build();
    std::fs::write(world.gateway.path("control.sock"), "something else").unwrap();
    fails(&mut world, REFUSED, &["control.sock", "not a socket"]);
    assert_eq!(std::fs::read_to_string(world.gateway.path("control.sock")).unwrap(), "something else");
    std::fs::remove_file(world.gateway.path("control.sock")).unwrap();

    std::fs::write(world.gateway.path("state"), "not a directory").unwrap();
    fails(&mut world, REFUSED, &["state"]);
    std::fs::remove_file(world.gateway.path("state")).unwrap();
    starts_after_all(&mut world);
}

#[test]
fn envoy_is_missing_or_no_envoy() {
    let mut world = Setup::default().build();
    let good = std::fs::read_to_string(world.gateway.path("policy.yaml")).unwrap();
    for (binary, words) in [("/nowhere/envoy", "/nowhere/envoy"), ("/bin/false", "nvoy")] {
        let (before, _) = good.split_once("binary: ").unwrap();
        let (_, after) = good.split_once(", config_dir").unwrap();
        world.gateway.write_policy(&format!("{before}binary: {binary}, config_dir{after}"));
        fails(&mut world, REFUSED, &[words]);
    }
    world.gateway.write_policy(&good);
    starts_after_all(&mut world);
}

#[test]
fn the_policy_cannot_be_read_or_is_broken() {
    let mut world = Setup::default().build();
    let policy = world.gateway.path("policy.yaml");
    let good = std::fs::read_to_string(&policy).unwrap();
    std::fs::remove_file(&policy).unwrap();
    fails(&mut world, REFUSED, &["policy.yaml"]);
    std::fs::create_dir(&policy).unwrap();
    fails(&mut world, REFUSED, &["policy.yaml"]);
    std::fs::remove_dir(&policy).unwrap();
    std::fs::write(&policy, good.replace("proto: ssh", "proto: shh")).unwrap();
    let start = world.gateway.failed_start();
    assert_eq!(start.code, Some(1), "{}", start.log);
    assert!(start.log.contains("policy.yaml:") && start.log.contains("shh"), "{}", start.log);
    std::fs::write(&policy, good).unwrap();
    starts_after_all(&mut world);
}

#[test]
fn another_decider_is_at_work() {
    let mut world = Setup::default().start();
    let running = world.gateway.process.take().unwrap();
    let before = kernel_state(&world.gateway.namespace);
    let start = world.gateway.failed_start();
    assert_eq!(start.code, Some(REFUSED), "{}", start.log);
    assert!(start.log.contains("another decider"), "{}", start.log);
    before.is_unchanged(&world.gateway.namespace);
    world.gateway.process = Some(running);
    assert_eq!(world.gateway.status()["state"], "ok");
    still_guarded(&world);

    // Another socket and another directory do not make two of them possible in one namespace.
    let mut second = Gateway::new();
    second.namespace = world.gateway.namespace.clone();
    second.write_policy(&Setup::default().policy(second.directory.path()));
    let start = second.failed_start();
    assert_eq!(start.code, Some(REFUSED), "{}", start.log);
    before.is_unchanged(&world.gateway.namespace);
    still_guarded(&world);
}

fn still_guarded(world: &World) {
    both(|family| world.clients[0].is_refused(STRANGER.of(family), 22));
    assert_eq!(world.internet.wire.leaked(), []);
}
