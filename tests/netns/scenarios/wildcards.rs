//! A rule for all names below one: each reaches its own host, at the address that its client was told.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::world::{
    DATABASE, Family, GITHUB, GITLAB, Internet, RESOLVER, SHARED, STRANGER, Setup, World, both, eventually,
    listener_connections,
};

const WILDCARD: &str = "*.wild.example:22/ssh";
const RULES: &str = "
  - { domain: \"*.wild.example\", proto: ssh }
  - { domain: exact.wild.example, proto: ssh }
  - { id: none-of-these, domain: \"*.no.wild.example\", proto: ssh, action: deny }
";

fn internet() -> Internet {
    let internet = Internet::new();
    let zone = &internet.zone;
    zone.put("a.wild.example", &GITHUB.both());
    zone.put("b.c.wild.example", &GITLAB.both());
    zone.put("_ssh.wild.example", &SHARED.both());
    zone.put("exact.wild.example", &DATABASE.both());
    zone.put("x.no.wild.example", &DATABASE.both());
    zone.put_fresh("fresh.wild.example");
    for stranger in ["wild.example", "badwild.example", "a.wild.example.evil.example"] {
        zone.put(stranger, &STRANGER.both());
    }
    internet
}

#[test]
fn each_name_below_reaches_its_own_host_and_no_other_name_does() {
    let world = Setup { internet, rules: RULES, ..Setup::default() }.start();
    both(|family| {
        let client = &world.clients[0];
        for (name, host) in [("a.wild.example", GITHUB), ("b.c.wild.example", GITLAB), ("_ssh.wild.example", SHARED)] {
            assert_eq!(client.reach_name(name, family, 22).unwrap(), host.of(family));
            let event = world.gateway.event(host.of(family), 22, "allowed");
            assert_eq!((&event["rule"], &event["domain"]), (&WILDCARD.into(), &name.into()), "{event}");
        }
        // The narrower rule counts, by its own listener.
        assert!(DATABASE.both().contains(&client.reach_name("exact.wild.example", family, 22).unwrap()));
        let event = world.gateway.event(DATABASE.of(family), 22, "allowed");
        assert_eq!(event["rule"], "exact.wild.example:22/ssh", "{event}");
        // Deny beats it.
        client.look_up("x.no.wild.example", family);
        client.is_refused(DATABASE.of(family), 22);
        let event = world.gateway.event(DATABASE.of(family), 22, "denied-by-rule");
        assert_eq!((&event["rule"], &event["domain"]), (&"none-of-these".into(), &"x.no.wild.example".into()));
        for name in ["wild.example", "badwild.example", "a.wild.example.evil.example"] {
            assert_eq!(client.look_up(name, family), [STRANGER.of(family)], "{name}");
            client.is_refused(STRANGER.of(family), 22);
            // Each of them is at this address, so the event is told by its name.
            let is_it = |event: &Value| event["domain"] == name && event["dst"] == STRANGER.of(family).to_string();
            let event = eventually("an event about the name", || world.gateway.events().into_iter().find(is_it));
            assert_eq!(event["reason"], "name-not-allowed", "{event}");
        }
    });
    both(|family| shows_well(&world, family));
    assert_eq!(world.internet.wire.to(STRANGER.of(Family::V4)), []);
    assert_eq!(world.internet.wire.to(STRANGER.of(Family::V6)), []);
    assert_eq!(world.internet.wire.leaked(), []);
    let connections = listener_connections(&world.gateway);
    assert_eq!((connections["*.wild.example"], connections["exact.wild.example"]), (6, 2), "{connections:?}");
    world.gateway.adds_up();
}

/// What the views say of the rules and of a connection.
fn shows_well(world: &World, family: Family) {
    let rules = world.gateway.json(&["rules"]);
    for (index, expected) in [
        json!(["*.wild.example", "allow", "original", true]),
        json!(["exact.wild.example", "allow", "resolve", true]),
        json!(["*.no.wild.example", "deny", null, null]),
    ]
    .iter()
    .enumerate()
    {
        let shown = ["domain", "action", "upstream", "ready"].map(|field| rules[index][field].clone());
        assert_eq!(shown, **expected.as_array().unwrap());
    }
    let (client, dst) = (world.clients[0].address(family).to_string(), GITHUB.of(family));
    let ask = ["explain", "--client", &client, "--dst", &dst.to_string(), "--port", "22"];
    let explained = world.gateway.json(&ask);
    assert_eq!((&explained["rule"], &explained["upstream"]), (&WILDCARD.into(), &"original".into()), "{explained}");
    let told = String::from_utf8(world.gateway.cli(&ask).stdout).unwrap();
    let socket = std::net::SocketAddr::new(dst, 22);
    assert!(told.contains(&format!(", which connects to {socket}\n")), "{told}");
}

#[test]
fn a_connection_goes_where_its_client_was_told_that_the_name_is() {
    let world = Setup { internet, rules: RULES, ..Setup::default() }.start();
    both(|family| {
        let told: Vec<IpAddr> = (0..20).map(|_| world.clients[0].look_up("fresh.wild.example", family)[0]).collect();
        for address in told.into_iter().rev() {
            assert_eq!(world.clients[0].reach(address, 22).unwrap(), address);
        }
        // With a name of its own, Envoy's question counts and not what the client was told.
        assert_eq!(world.clients[0].look_up("exact.wild.example", family), [DATABASE.of(family)]);
        world.internet.zone.put("exact.wild.example", &[GITHUB.of(family)]);
        assert_eq!(world.clients[0].look_up("exact.wild.example", family), [GITHUB.of(family)]);
        assert_eq!(world.clients[0].reach(GITHUB.of(family), 22).unwrap(), DATABASE.of(family));
        world.internet.zone.put("exact.wild.example", &DATABASE.both());
    });
    assert_eq!(world.internet.wire.leaked(), []);
}

/// A server at private addresses, which the gateway has a way to.
fn with_a_private_host() -> Internet {
    let internet = internet();
    internet.namespace.sh("ip route add local 192.168.9.9 dev lo; ip -6 route add local fd99::9 dev lo");
    internet
}

fn private(family: Family) -> IpAddr {
    match family {
        Family::V4 => "192.168.9.9".parse().unwrap(),
        Family::V6 => "fd99::9".parse().unwrap(),
    }
}

/// Something on the gateway that lets connections to the private host through to the wildcard's listener, whatever
/// decider has decided: between its decision and what is made of it.
fn let_through(world: &World) {
    let rules = world.gateway.json(&["rules"]);
    let rule = rules.as_array().unwrap().iter().find(|rule| rule["id"] == WILDCARD).unwrap();
    let mark = rule["mark"].as_str().unwrap();
    world.gateway.namespace.sh(&format!(
        "nft -f - <<'END'
        table inet mistake {{ chain late {{
            type filter hook prerouting priority -149
            iifname lan1 ip daddr 192.168.9.9 meta mark set {mark}
            iifname lan1 ip6 daddr fd99::9 meta mark set {mark}
        }}
        }}
END"
    ));
}

#[test]
fn a_private_address_is_refused_by_decider_and_once_more_when_envoy_connects() {
    let world = Setup { internet: with_a_private_host, rules: RULES, ..Setup::default() }.start();
    both(|family| {
        world.internet.zone.put("p.wild.example", &[private(family)]);
        world.clients[0].ask(RESOLVER.of(family), "p.wild.example", family).unwrap();
        world.clients[0].is_refused(private(family), 22);
        let event = world.gateway.event(private(family), 22, "private-address");
        assert_eq!(event["domain"], "p.wild.example", "{event}");
    });
    let refused = |world: &World| world.gateway.status()["refused_in_kernel"]["private-address"].as_u64().unwrap_or(0);
    assert_eq!(refused(&world), 0);
    let_through(&world);
    both(|family| {
        let before = refused(&world);
        // Envoy has taken it, and gets nowhere.
        assert!(world.clients[0].reach(private(family), 22).is_err());
        assert_eq!(refused(&world), before + 1, "{family:?}");
    });
    assert_eq!(world.internet.wire.to(private(Family::V4)), []);
    assert_eq!(world.internet.wire.to(private(Family::V6)), []);
    assert_eq!(world.internet.wire.leaked(), []);
}

/// The same where private addresses are believed: so the test above can fail, and this works.
#[test]
fn a_private_address_is_reached_if_the_policy_says_so() {
    let dns = ", allow_private: true";
    let world = Setup { internet: with_a_private_host, rules: RULES, dns, ..Setup::default() }.start();
    both(|family| {
        world.internet.zone.put("p.wild.example", &[private(family)]);
        assert_eq!(world.clients[0].reach_name("p.wild.example", family, 22).unwrap(), private(family));
    });
    let_through(&world);
    both(|family| assert_eq!(world.clients[0].reach(private(family), 22).unwrap(), private(family)));
    assert_eq!(world.internet.wire.leaked(), []);
}
