//! What fails over and over is told when it begins, not as often as it is tried.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use super::dns_over_tcp_limits::connect_from;
use crate::world::{Covered, Family, Gateway, STRANGER, Setup, World, both, eventually};

/// Tries take milliseconds, half a second at most.
const MANY_TRIES: Duration = Duration::from_secs(3);

fn told(gateway: &Gateway, words: &str) -> usize {
    gateway.process.as_ref().unwrap().log().lines().filter(|line| line.contains(words)).count()
}

fn limit_files(gateway: &Gateway, limit: &str) {
    let pid = gateway.process.as_ref().unwrap().pid().to_string();
    let limited = Command::new("prlimit").args(["--pid", &pid, &format!("--nofile={limit}")]).status().unwrap();
    assert!(limited.success());
}

#[test]
fn without_files_nothing_can_be_repaired_or_accepted_and_each_is_told_once() {
    let world = Setup::default().start();
    let gateway = &world.gateway;
    limit_files(gateway, "3:");
    gateway.namespace.sh("nft delete table inet decider; ip rule del pref 530; ip -6 rule del pref 530");
    let waiting: Vec<UnixStream> = (0..3).map(|_| UnixStream::connect(gateway.path("control.sock")).unwrap()).collect();
    sleep(MANY_TRIES);
    both(|family| world.clients[0].is_shut_out(STRANGER.of(family), 22));
    limit_files(gateway, "1024:");
    drop(waiting);
    gateway.wait_until_ready();
    assert_eq!(told(gateway, "the ruleset cannot be put back"), 1);
    assert_eq!(told(gateway, "a control connection could not be accepted"), 1);
    assert!(told(gateway, "routing cannot be put right") <= 1);
    world.works();
}

#[test]
fn connections_of_a_crowd_on_the_control_socket_are_told_once() {
    let world = Setup::default().start();
    let connect = || UnixStream::connect(world.gateway.path("control.sock")).unwrap();
    let crowd: Vec<UnixStream> = (0..1_000).map(|_| connect()).collect();
    let words = "too many control connections";
    eventually("a word about them", || (told(&world.gateway, words) > 0).then_some(()));
    drop(crowd);
    world.gateway.wait_until_ready();
    assert_eq!(told(&world.gateway, words), 1);
}

#[test]
fn a_backstop_that_cannot_be_had_is_told_once() {
    let mut world = Setup { covered: Covered::Host, ..Setup::default() }.build();
    world.gateway.wrapper = ["setpriv", "--bounding-set=-bpf,-sys_admin"].map(str::to_owned).to_vec();
    world.gateway.launch();
    world.gateway.wait_until_degraded("backstop");
    // It is tried with each interface that comes.
    for number in 0..20 {
        world.gateway.namespace.sh(&format!("ip link add more{number} type veth peer name other{number}"));
        sleep(Duration::from_millis(50));
    }
    world.gateway.wait_until_degraded("backstop");
    assert_eq!(told(&world.gateway, "the backstop is not wholly in force"), 1);
}

fn with_a_trap(fault: &str) -> World {
    let rules = "\n  - { domain: github.com, proto: ssh }\n  - { domain: db.example.com, proto: tcp, port: 5432 }\n";
    let mut world = Setup { rules, ..Setup::default() }.build();
    world.gateway.environment = vec![("DECIDER_FAULT".to_owned(), fault.to_owned())];
    world.gateway.start();
    world
}

#[test]
fn a_worker_that_ends_over_and_over_is_told_once() {
    let world = with_a_trap("panic-on-port:5432");
    both(|family| {
        // What only another client was told always goes to a queue.
        let address = world.clients[1].look_up("db.example.com", family)[0];
        for _ in 0..4 {
            let panics = || -> u64 {
                let status = world.gateway.status();
                status["queues"].as_array().unwrap().iter().map(|queue| queue["panics"].as_u64().unwrap()).sum()
            };
            let before = panics();
            let _ = world.clients[0].connect(address, 5432);
            eventually("one more panic", || (panics() > before).then_some(()));
            world.gateway.wait_until_ready();
        }
    });
    assert_eq!(told(&world.gateway, "a worker ended"), 1);
    assert_eq!(told(&world.gateway, "a worker was started again"), 1);
    world.works();
}

#[test]
fn a_relay_that_cannot_be_started_again_is_told_once() {
    let world = with_a_trap("panic-on-client-port:40053");
    let hosts = [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
    drop(connect_from(&world, Family::V4, 40_053));
    let taken: Vec<TcpListener> = world
        .gateway
        .namespace
        .enter(|| hosts.map(|host| eventually("the relay's port", || TcpListener::bind((host, 15_099)).ok())).into());
    sleep(MANY_TRIES);
    drop(taken);
    eventually("the relay", || (told(&world.gateway, "TCP was started again") == 1).then_some(()));
    assert_eq!(told(&world.gateway, "TCP cannot be started again"), 1);
    world.works();
}
