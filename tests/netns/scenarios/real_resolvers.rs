//! Real resolvers with caches of their own, on the gateway and beyond it: their answers teach like any other.

use std::collections::BTreeSet;

use crate::world::{Family, GITHUB, GITLAB, Place, Resolving, Running, Software, both, listener_connections};

/// Of each family.
const ROUNDS: u64 = 25;

fn each_kind(mut part: impl FnMut(Software, Place)) {
    for software in Software::BOTH {
        for place in Place::BOTH {
            part(software, place);
        }
    }
}

#[test]
fn what_a_cache_answers_is_learned_like_any_other_answer() {
    each_kind(|software, place| {
        let resolving = Resolving::start(software, place, &[], "");
        let world = &resolving.world;
        both(|family| {
            for _ in 0..ROUNDS {
                assert!(GITHUB.both().contains(&resolving.reach("github.com", family)));
                assert!(GITLAB.both().contains(&resolving.reach("gitlab.com", family)));
            }
            // Once for the client, and perhaps for Envoy, which is first: the rest is of the cache.
            let asked = resolving.authority.asked("github.com", family);
            assert!((1..=2).contains(&asked), "{software:?} asked {asked} times");
        });
        resolving.every_question_was_answered(4 * ROUNDS);
        let counters = world.gateway.adds_up();
        assert_eq!((&counters["allowed"], &counters["denied"]), (&(4 * ROUNDS).into(), &0.into()), "{counters}");
        assert_eq!(world.internet.wire.leaked(), []);
    });
}

#[test]
fn what_changes_behind_a_cache_is_reached_as_it_changes() {
    for (software, ttls) in Software::BOTH.into_iter().flat_map(|software| [(software, 0..=0), (software, 0..=1)]) {
        for place in Place::BOTH {
            let resolving = Resolving::build(software, place, &[], ", min_ttl: 1s, grace: 10s");
            resolving.authority.set_ttls(ttls.clone());
            let mut resolving = resolving;
            resolving.world.gateway.start();
            let mut seen = BTreeSet::new();
            both(|family| {
                for round in 0..2 * ROUNDS {
                    let name = ["one.example", "two.example", "fresh.example"][usize::try_from(round % 3).unwrap()];
                    let addresses = resolving.look_up(name, family);
                    let before = listener_connections(&resolving.world.gateway)[name];
                    for &address in &addresses {
                        resolving.client().reach(address, 22).unwrap();
                    }
                    let after = listener_connections(&resolving.world.gateway)[name];
                    assert_eq!(after - before, 2, "{name} at {addresses:?}");
                    seen.extend(addresses);
                }
            });
            assert!(seen.len() > 8, "{software:?}: only {seen:?}");
            let counters = resolving.world.gateway.adds_up();
            assert_eq!((&counters["allowed"], &counters["denied"]), (&(8 * ROUNDS).into(), &0.into()), "{counters}");
            assert_eq!(resolving.world.internet.wire.leaked(), []);
        }
    }
}

#[test]
fn an_answer_that_is_not_to_be_kept_counts_for_the_shortest_time() {
    let mut resolving = Resolving::build(Software::Dnsmasq, Place::Beyond, &[], ", min_ttl: 600s, grace: 30s");
    resolving.authority.set_ttls(0..=0);
    resolving.world.gateway.start();
    both(|family| {
        assert_eq!(resolving.reach("github.com", family), GITHUB.of(family));
        let cache = resolving.world.gateway.json(&["cache", "--name", "github.com"]);
        let address = GITHUB.of(family).to_string();
        let entry = cache.as_array().unwrap().iter().find(|entry| entry["address"] == address).unwrap().clone();
        assert_eq!(entry["ttl_s"], 0, "{entry}");
        assert!((500..=630).contains(&entry["left_s"].as_u64().unwrap()), "{entry}");
    });
}

/// A table of somebody else's, which dnsmasq fills beside decider.
const TABLE: &str = "
table inet by_dnsmasq {
  set v4 { type ipv4_addr; }
  set v6 { type ipv6_addr; }
  chain counted { type filter hook forward priority 10; ip daddr @v4 counter; ip6 daddr @v6 counter; }
}
";

#[test]
fn dnsmasq_fills_a_set_of_its_own_beside() {
    let nftset = "--nftset=/github.com/fresh.example/4#inet#by_dnsmasq#v4,6#inet#by_dnsmasq#v6";
    let mut resolving = Resolving::build(Software::Dnsmasq, Place::Gateway, &[nftset], "");
    resolving.authority.set_ttls(0..=0);
    let gateway = &mut resolving.world.gateway;
    gateway.namespace.sh(&format!("nft -f - <<'END'\n{TABLE}\nEND"));
    gateway.start();
    let before = gateway.status()["heal"].clone();
    let mut told = BTreeSet::new();
    both(|family| {
        for _ in 0..ROUNDS {
            told.extend(resolving.look_up("fresh.example", family));
            resolving.reach("fresh.example", family);
            resolving.reach("github.com", family);
        }
    });
    let gateway = &mut resolving.world.gateway;
    // decider did not take the other's changes for its own, and has all in force.
    let status = gateway.status();
    assert_eq!((&status["state"], &status["heal"]), (&"ok".into(), &before), "{status}");
    let counters = gateway.adds_up();
    assert_eq!((&counters["allowed"], &counters["denied"]), (&(4 * ROUNDS).into(), &0.into()), "{counters}");
    let Running::Dnsmasq(dnsmasq) = &resolving.resolver else { panic!("another resolver") };
    assert!(!dnsmasq.log().contains("Error"), "{}", dnsmasq.log());
    // And the other has its own, while decider is there and after.
    let github = GITHUB.both();
    let has_all = |listing: &str| told.iter().chain(&github).all(|address| listing.contains(&address.to_string()));
    let listing = gateway.namespace.sh("nft list table inet by_dnsmasq");
    assert!(has_all(&listing), "{told:?}: {listing}");
    gateway.down();
    assert_eq!(gateway.namespace.sh("nft list table inet by_dnsmasq"), listing);
    assert_eq!(resolving.world.internet.wire.leaked(), []);
}

#[test]
fn a_stale_answer_teaches_too() {
    let options = ["serve-expired: yes", "serve-expired-reply-ttl: 0", "serve-expired-ttl: 3600"];
    for place in Place::BOTH {
        let resolving = Resolving::build(Software::Unbound, place, &options, ", min_ttl: 1s, grace: 1s");
        resolving.authority.set_ttls(1..=1);
        let mut resolving = resolving;
        resolving.world.gateway.start();
        both(|family| assert!(GITHUB.both().contains(&resolving.reach("github.com", family))));
        resolving.authority.be_silent(true);
        both(|family| is_served_although_stale(&resolving, family));
        assert_eq!(resolving.world.internet.wire.leaked(), []);
        resolving.world.gateway.adds_up();
    }
}

/// Past its end an observation is gone, and the stale answer that says so brings it back.
fn is_served_although_stale(resolving: &Resolving, family: Family) {
    let (client, github) = (resolving.client(), GITHUB.of(family));
    crate::world::eventually("an observation that has run out", || {
        let refused = client.connect(github, 22).is_err();
        refused.then(|| resolving.world.gateway.event(github, 22, "observation-expired"))
    });
    let answer = client.ask(resolving.address(family), "github.com", family).unwrap();
    assert_eq!((answer.ttl, answer.addresses.as_slice()), (0, [github].as_slice()));
    // Envoy may have lost the name meanwhile, or have the stale answer too: the decision is what counts here.
    let allowed = |resolving: &Resolving| resolving.world.gateway.adds_up()["allowed"].as_u64().unwrap();
    let before = allowed(resolving);
    client.connect(github, 22).unwrap();
    assert_eq!(allowed(resolving), before + 1);
}
