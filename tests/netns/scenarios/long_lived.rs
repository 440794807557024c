//! A name counts for as long as a connection through it lives, for the client of that connection only, however short its
//! TTL.

use std::io::Read;
use std::net::{IpAddr, Ipv6Addr, Shutdown, TcpListener, TcpStream, UdpSocket};

use nix::libc::linger;
use nix::sys::signal::Signal;
use nix::sys::socket::{setsockopt, sockopt};

use crate::world::{DATABASE, Family, GITHUB, OpenFlow, Setup, World, both, eventually};

/// A second, and a second of grace.
const SHORT: &str = ", min_ttl: 1s, grace: 1s";
const SHORT_AND_OWN: &str = ", min_ttl: 1s, grace: 1s, scope: client";

fn short_lived(setup: Setup) -> World {
    let world = setup.start();
    world.internet.zone.set_ttl(1);
    world
}

/// A connection of a client to github.com, and a second handle to it.
fn open(world: &World, client: usize, family: Family) -> (OpenFlow, TcpStream) {
    let stream = world.clients[client].connect(GITHUB.of(family), 22).unwrap();
    let handle = stream.try_clone().unwrap();
    (OpenFlow::new(stream), handle)
}

fn look_up(world: &World, client: usize, family: Family) {
    assert_eq!(world.clients[client].look_up("github.com", family), [GITHUB.of(family)]);
}

/// Waits until what a client was told of an address is in that state.
fn becomes(world: &World, client: usize, addr: IpAddr, state: &str) {
    let who = world.clients[client].address(Family::of(addr)).to_string();
    eventually(&format!("{addr} {state} for {who}"), || {
        let cache = world.gateway.json(&["cache", "--client", &who]);
        let entry = cache.as_array()?.iter().find(|entry| entry["address"] == addr.to_string())?.clone();
        (entry["state"] == state).then_some(())
    });
}

fn goes_through(world: &World, client: usize, family: Family) {
    let reached = world.clients[client].reach(GITHUB.of(family), 22).unwrap();
    assert!(GITHUB.both().contains(&reached));
}

fn is_refused(world: &World, client: usize, addr: IpAddr, reason: &str) {
    world.clients[client].is_refused(addr, 22);
    let who = world.clients[client].address(Family::of(addr)).to_string();
    eventually(&format!("{reason} for {who}"), || {
        let refused = |event: &serde_json::Value| {
            event["client"] == who && event["dst"] == addr.to_string() && event["reason"] == reason
        };
        world.gateway.events().iter().any(refused).then_some(())
    });
}

/// The states in which the gateway remembers a client's connections to an address.
fn remembered(world: &World, client: usize, addr: IpAddr) -> String {
    let (who, family) = (world.clients[client].address(Family::of(addr)), Family::of(addr));
    let family = if family == Family::V4 { "ipv4" } else { "ipv6" };
    world.gateway.namespace.sh(&format!("conntrack -L -f {family} -p tcp -s {who} -d {addr} 2>/dev/null"))
}

#[test]
fn a_name_lives_as_long_as_a_flow_for_its_client_only() {
    for (dns, reason) in [(SHORT, "observation-expired"), (SHORT_AND_OWN, "no-observation")] {
        let world = short_lived(Setup { dns, ..Setup::default() });
        both(|family| {
            let address = GITHUB.of(family);
            look_up(&world, 0, family);
            let (mut flow, _) = open(&world, 0, family);
            becomes(&world, 0, address, "held");
            for _ in 0..3 {
                goes_through(&world, 0, family);
            }
            is_refused(&world, 1, address, reason);
            assert!(flow.is_alive());
            drop(flow);
            becomes(&world, 0, address, "expired");
            is_refused(&world, 0, address, "observation-expired");
            // The kernel has not forgotten it yet, but it is over.
            let remembered = remembered(&world, 0, address);
            assert!(remembered.contains("TIME_WAIT"), "{remembered}");
            look_up(&world, 0, family);
            goes_through(&world, 0, family);
        });
        assert_eq!(world.internet.wire.leaked(), []);
        world.gateway.adds_up();
    }
}

#[test]
fn a_reset_ends_it() {
    let world = short_lived(Setup { dns: SHORT, ..Setup::default() });
    both(|family| {
        let address = GITHUB.of(family);
        look_up(&world, 0, family);
        let (flow, handle) = open(&world, 0, family);
        becomes(&world, 0, address, "held");
        setsockopt(&handle, sockopt::Linger, &linger { l_onoff: 1, l_linger: 0 }).unwrap();
        drop((flow, handle));
        becomes(&world, 0, address, "expired");
        is_refused(&world, 0, address, "observation-expired");
    });
}

#[test]
fn a_half_closed_flow_still_lives() {
    const RULES: &str = "
  - { domain: github.com, proto: ssh }
  - { domain: db.example.com, proto: tcp, port: 7000 }
";
    let world = short_lived(Setup { dns: SHORT, rules: RULES, ..Setup::default() });
    let listener = world.internet.namespace.enter(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, 7000)).unwrap());
    both(|family| {
        let address = DATABASE.of(family);
        assert_eq!(world.clients[0].look_up("db.example.com", family), [address]);
        let mut near = world.clients[0].connect(address, 7000).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        near.shutdown(Shutdown::Write).unwrap();
        assert_eq!(far.read(&mut [0; 16]).unwrap(), 0);
        becomes(&world, 0, address, "held");
        let remembered = remembered(&world, 0, address);
        assert!(remembered.contains("CLOSE_WAIT"), "{remembered}");
        let again = world.clients[0].connect(address, 7000).unwrap();
        drop((listener.accept().unwrap(), again));
        becomes(&world, 0, address, "held");
        drop(far);
        assert_eq!(near.read(&mut [0; 16]).unwrap(), 0);
        becomes(&world, 0, address, "expired");
        world.clients[0].is_refused(address, 7000);
        world.gateway.event(address, 7000, "observation-expired");
    });
}

#[test]
fn what_others_asked_is_borrowed_while_a_flow_lives() {
    let world = short_lived(Setup { dns: SHORT, ..Setup::default() });
    both(|family| {
        let address = GITHUB.of(family);
        look_up(&world, 0, family);
        let (mut flow, _) = open(&world, 1, family);
        becomes(&world, 0, address, "expired");
        goes_through(&world, 1, family);
        is_refused(&world, 0, address, "observation-expired");
        assert!(flow.is_alive());
        drop(flow);
        let who = world.clients[1].address(family).to_string();
        let (dst, asked) = (address.to_string(), ["explain", "--port", "22"]);
        eventually("the end of what was borrowed", || {
            let explained = world.gateway.cli(&[&asked[..], &["--client", &who, "--dst", &dst]].concat());
            (explained.status.code() == Some(1)).then_some(())
        });
        is_refused(&world, 1, address, "observation-expired");
    });
}

#[test]
fn a_restart_forgets_nothing_that_a_flow_holds() {
    let mut world = short_lived(Setup { dns: SHORT, ..Setup::default() });
    let mut flows = Family::BOTH.map(|family| {
        look_up(&world, 0, family);
        open(&world, 0, family).0
    });
    both(|family| becomes(&world, 0, GITHUB.of(family), "held"));
    for _ in 0..2 {
        world.gateway.end_by(Signal::SIGKILL);
        world.gateway.start();
        both(|family| {
            becomes(&world, 0, GITHUB.of(family), "held");
            goes_through(&world, 0, family);
            is_refused(&world, 1, GITHUB.of(family), "observation-expired");
        });
    }
    assert!(flows.iter_mut().all(OpenFlow::is_alive));
    drop(flows);
    both(|family| {
        becomes(&world, 0, GITHUB.of(family), "expired");
        is_refused(&world, 0, GITHUB.of(family), "observation-expired");
    });
}

#[test]
fn without_news_of_connections_only_the_time_counts_and_status_says_so() {
    let mut world = Setup { dns: SHORT, ..Setup::default() }.build();
    world.gateway.namespace.sh("sysctl -qw net.netfilter.nf_conntrack_events=0");
    world.gateway.launch();
    world.gateway.wait_until_degraded("flows");
    eventually("every listener", || {
        let status = world.gateway.status();
        (status["listeners_ready"] == status["listeners"]).then_some(())
    });
    let problems = world.gateway.status()["problems"].to_string();
    assert!(problems.contains("net.netfilter.nf_conntrack_events to 1"), "{problems}");
    world.internet.zone.set_ttl(1);
    both(|family| {
        look_up(&world, 0, family);
        let (mut flow, _) = open(&world, 0, family);
        becomes(&world, 0, GITHUB.of(family), "expired");
        is_refused(&world, 0, GITHUB.of(family), "observation-expired");
        assert!(flow.is_alive());
    });
}

/// Connections of the gateway with itself, more than there is room to tell of.
fn make_noise(world: &World) {
    world.gateway.namespace.enter(|| {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        for round in 0..2 {
            let socket = if round == 0 { &socket } else { &UdpSocket::bind(("127.0.0.1", 0)).unwrap() };
            for port in 1_024..=u16::MAX {
                // Nobody listens there, and says so.
                let _ = socket.send_to(b"x", ("127.0.0.1", port));
            }
        }
    });
}

#[test]
fn news_that_are_lost_are_made_up_for() {
    let world = short_lived(Setup { dns: SHORT, ..Setup::default() });
    let flows = Family::BOTH.map(|family| {
        look_up(&world, 0, family);
        open(&world, 0, family).0
    });
    both(|family| becomes(&world, 0, GITHUB.of(family), "held"));
    let [mut left, gone] = flows;
    let [kept, lost] = Family::BOTH.map(|family| GITHUB.of(family));
    world.gateway.freeze();
    make_noise(&world);
    drop(gone);
    eventually("the end of one", || remembered(&world, 0, lost).contains("TIME_WAIT").then_some(()));
    world.gateway.thaw();
    becomes(&world, 0, lost, "expired");
    is_refused(&world, 0, lost, "observation-expired");
    becomes(&world, 0, kept, "held");
    goes_through(&world, 0, Family::V4);
    assert!(left.is_alive());
    let log = std::fs::read_to_string(world.gateway.path("log")).unwrap();
    assert!(log.contains("news of connections were lost"), "there was room for all that noise");
}
