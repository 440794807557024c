//! Clients that ask a stub of their own, which asks the trusted resolver: what decider sees is the stub's question.

use std::net::IpAddr;

use nix::sys::signal::Signal;

use crate::world::{
    Client, Dnsmasq, Family, GITHUB, GITLAB, Process, RESOLVER, STUB, Setup, World, both, start_resolved,
};

const ROUNDS: u64 = 20;

/// What a stub is, and where it listens.
struct Stub {
    process: Kind,
    address: fn(Family) -> IpAddr,
}

enum Kind {
    Dnsmasq(Dnsmasq),
    Resolved(Process),
}

/// Where Docker puts its own into a container.
fn as_docker_has_it(family: Family) -> IpAddr {
    match family {
        Family::V4 => [127, 0, 0, 11].into(),
        Family::V6 => family.loopback(),
    }
}

/// It listens on no other.
fn as_resolved_has_it(_: Family) -> IpAddr {
    STUB.parse().unwrap()
}

impl Stub {
    fn dnsmasq(client: &Client, directory: &std::path::Path, address: fn(Family) -> IpAddr, options: &[&str]) -> Self {
        let listen = Family::BOTH.map(address);
        let process = Dnsmasq::start(&client.namespace, directory, &listen, &RESOLVER.both(), options);
        Self { process: Kind::Dnsmasq(process), address }
    }

    fn resolved(client: &Client, directory: &std::path::Path) -> Self {
        let process = start_resolved(&client.namespace, directory, &RESOLVER.both());
        Self { process: Kind::Resolved(process), address: as_resolved_has_it }
    }

    fn look_up(&self, client: &Client, name: &str, family: Family) -> IpAddr {
        let answer = client.ask((self.address)(family), name, family);
        answer.unwrap_or_else(|| panic!("no answer about {name}")).addresses[0]
    }

    /// Empties its cache.
    fn forget(&self) {
        match &self.process {
            Kind::Dnsmasq(dnsmasq) => dnsmasq.forget(),
            Kind::Resolved(process) => process.signal(Signal::SIGUSR2),
        }
    }
}

fn questions(world: &World) -> u64 {
    world.gateway.status()["dns"]["messages"]["questions"].as_u64().unwrap()
}

/// Looks both names up in turn and connects; how many questions decider saw of it.
fn is_served(world: &World, stub: &Stub) -> u64 {
    let before = questions(world);
    let client = &world.clients[0];
    both(|family| {
        for _ in 0..ROUNDS {
            for (name, host) in [("github.com", GITHUB), ("gitlab.com", GITLAB)] {
                let address = stub.look_up(client, name, family);
                assert_eq!(address, host.of(family));
                assert_eq!(client.reach(address, 22).unwrap(), address);
            }
        }
    });
    let counters = world.gateway.adds_up();
    assert_eq!((&counters["allowed"], &counters["denied"]), (&(4 * ROUNDS).into(), &0.into()), "{counters}");
    let messages = world.gateway.status()["dns"]["messages"].clone();
    assert_eq!((&messages["unasked"], &messages["malformed"]), (&0.into(), &0.into()), "{messages}");
    assert_eq!(world.internet.wire.leaked(), []);
    questions(world) - before
}

/// Once for each name and family, and perhaps once more to learn what the servers are like; the rest is of the cache.
fn asked_little(questions: u64) {
    assert!((4..=8).contains(&questions), "{questions} questions");
}

#[test]
fn a_stub_with_a_cache() {
    let (world, directory) = (Setup::default().start(), tempfile::tempdir().unwrap());
    let stub = Stub::dnsmasq(&world.clients[0], directory.path(), Family::loopback, &[]);
    asked_little(is_served(&world, &stub));
}

#[test]
fn a_stub_that_forwards_every_question() {
    let (world, directory) = (Setup::default().start(), tempfile::tempdir().unwrap());
    let stub = Stub::dnsmasq(&world.clients[0], directory.path(), as_docker_has_it, &["--cache-size=0"]);
    let questions = is_served(&world, &stub);
    // Now and then dnsmasq tries which of its servers is the quickest.
    assert!((4 * ROUNDS..5 * ROUNDS).contains(&questions), "{questions} questions");
}

#[test]
fn systemd_resolved() {
    let (world, directory) = (Setup::default().start(), tempfile::tempdir().unwrap());
    let stub = Stub::resolved(&world.clients[0], directory.path());
    asked_little(is_served(&world, &stub));
}

/// A stub that knows all before decider is there says nothing that decider could see.
fn has_to_ask_again(start: impl FnOnce(&Client, &std::path::Path) -> Stub) {
    let (mut world, directory) = (Setup::default().build(), tempfile::tempdir().unwrap());
    let stub = start(&world.clients[0], directory.path());
    both(|family| assert_eq!(stub.look_up(&world.clients[0], "github.com", family), GITHUB.of(family)));
    world.gateway.start();
    both(|family| {
        let client = &world.clients[0];
        let github = stub.look_up(client, "github.com", family);
        world.internet.wire.forget();
        client.is_refused(github, 22);
        world.gateway.event(github, 22, "no-observation");
        assert_eq!(world.internet.wire.to(github), []);
    });
    assert_eq!(questions(&world), 0);
    stub.forget();
    both(|family| {
        let client = &world.clients[0];
        let github = stub.look_up(client, "github.com", family);
        assert_eq!(client.reach(github, 22).unwrap(), github);
    });
    assert!(questions(&world) >= 2);
    let counters = world.gateway.adds_up();
    assert_eq!((&counters["allowed"], &counters["denied"]), (&2.into(), &6.into()), "{counters}");
    assert_eq!(world.internet.wire.leaked(), []);
}

#[test]
fn a_stub_that_was_warm_before_the_start_has_to_ask_again() {
    has_to_ask_again(|client, directory| Stub::dnsmasq(client, directory, Family::loopback, &[]));
    has_to_ask_again(Stub::resolved);
}
