//! Resolvers on a host whose own processes are covered: what decider sees of them is what they ask in their turn.

use std::net::IpAddr;
use std::path::Path;

use crate::world::{
    Client, Covered, DnsStream, Dnsmasq, Family, GITHUB, GITLAB, Question, RESOLVER, STRANGER, STUB, Setup, Unbound,
    World, both, start_resolved,
};

const ROUNDS: usize = 20;

fn build(resolvers: &'static str) -> (World, tempfile::TempDir) {
    let setup = Setup { covered: Covered::Host, resolvers, ..Setup::default() };
    (setup.build(), tempfile::tempdir().unwrap())
}

/// Both names in turn, over and over, by way of the resolver here.
fn is_served(world: &World, resolver: impl Fn(Family) -> IpAddr) {
    let host = world.gateway.as_client();
    both(|family| {
        for round in 0..ROUNDS {
            for (name, address) in [("github.com", GITHUB), ("gitlab.com", GITLAB)] {
                let told = host.ask(resolver(family), name, family).unwrap_or_else(|| panic!("{name}: no answer"));
                assert_eq!(told.addresses, [address.of(family)]);
                assert!(address.both().contains(&host.reach(address.of(family), 22).unwrap()), "{name}, round {round}");
            }
        }
        host.is_refused(STRANGER.of(family), 22);
        assert_eq!(world.internet.wire.to(STRANGER.of(family)), []);
    });
    let counters = world.gateway.adds_up();
    assert_eq!(counters["allowed"], 4 * ROUNDS, "{counters}");
    let messages = world.gateway.messages();
    assert_eq!((messages.get("unasked"), messages.get("malformed")), (None, None), "{messages:?}");
}

const UPSTREAM: &str = "203.0.113.53, \"2001:db8:53::53\"";

#[test]
fn the_stub_of_systemd_resolved() {
    let (mut world, directory) = build(UPSTREAM);
    let _resolved = start_resolved(&world.gateway.namespace, directory.path(), &RESOLVER.both());
    world.gateway.start();
    is_served(&world, |_| STUB.parse().unwrap());
}

#[test]
fn dnsmasq() {
    let (mut world, directory) = build(UPSTREAM);
    let listen = Family::BOTH.map(Family::loopback);
    let _dnsmasq = Dnsmasq::start(&world.gateway.namespace, directory.path(), &listen, &RESOLVER.both(), &[]);
    world.gateway.start();
    is_served(&world, Family::loopback);
}

#[test]
fn unbound() {
    let (mut world, directory) = build(UPSTREAM);
    let listen = Family::BOTH.map(Family::loopback);
    let _unbound = Unbound::start(&world.gateway.namespace, directory.path(), &listen, &RESOLVER.both(), &[]);
    world.gateway.start();
    is_served(&world, Family::loopback);
}

/// Then Envoy asks it too, and each question that stays here is looked at.
#[test]
fn one_that_the_policy_trusts_itself() {
    let (mut world, directory) = build("127.0.0.1, \"::1\", 203.0.113.53, \"2001:db8:53::53\"");
    let dnsmasq = start_dnsmasq(&world.gateway.as_client(), directory.path());
    world.gateway.start();
    is_served(&world, Family::loopback);
    // What it knows already is told by itself, and seen as well.
    let before = world.gateway.messages()["questions"];
    let host = world.gateway.as_client();
    both(|family| drop(host.ask(family.loopback(), "github.com", family).unwrap()));
    assert!(world.gateway.messages()["questions"] >= before + 2);
    both(|family| {
        let mut stream = DnsStream::open(&host, family.loopback()).unwrap();
        assert_eq!(stream.look_up(3, Question::new("gitlab.com", family)).addresses, [GITLAB.of(family)]);
    });
    drop(dnsmasq);
}

fn start_dnsmasq(host: &Client, directory: &Path) -> Dnsmasq {
    Dnsmasq::start(&host.namespace, directory, &Family::BOTH.map(Family::loopback), &RESOLVER.both(), &[])
}

/// Its cache was warm before decider came: nothing tells decider, and the event says what is missing.
#[test]
fn a_warm_cache_has_to_be_emptied_once() {
    let (mut world, directory) = build(UPSTREAM);
    let host = world.gateway.as_client();
    let dnsmasq = start_dnsmasq(&host, directory.path());
    both(|family| drop(host.ask(family.loopback(), "github.com", family).unwrap()));
    world.gateway.start();
    both(|family| {
        let address = host.ask(family.loopback(), "github.com", family).unwrap().addresses[0];
        host.is_refused(address, 22);
        world.gateway.event(address, 22, "no-observation");
    });
    dnsmasq.forget();
    both(|family| {
        let address = host.ask(family.loopback(), "github.com", family).unwrap().addresses[0];
        assert_eq!(host.reach(address, 22).unwrap(), address);
    });
}

#[test]
fn a_name_in_no_rule_is_refused_to_processes_and_to_their_resolver() {
    let setup = Setup { covered: Covered::Host, dns: ", queries: policy", ..Setup::default() };
    let mut world = setup.build();
    let directory = tempfile::tempdir().unwrap();
    world.internet.zone.put("stranger.example", &STRANGER.both());
    let host = world.gateway.as_client();
    let _dnsmasq = start_dnsmasq(&host, directory.path());
    world.gateway.start();
    both(|family| {
        for resolver in [RESOLVER.of(family), family.loopback()] {
            let told = host.ask(resolver, "stranger.example", family).unwrap();
            assert_eq!(told.addresses, [] as [IpAddr; 0]);
            let told = host.ask(resolver, "github.com", family).unwrap();
            assert_eq!(told.addresses, [GITHUB.of(family)]);
        }
        world.gateway.event(RESOLVER.of(family), 53, "query-not-allowed");
    });
}
