//! The point of it all: two SSH hosts on one port, each by its own name through its own listener.

use rand::seq::SliceRandom;

use crate::world::{
    CLIENTS, Family, GATEWAY, GITHUB, GITLAB, Internet, RESOLVER, STRANGER, Setup, Sshd, World, both, keyscan,
    listener_connections, resolv_conf, start_dnsmasq,
};

/// Of each client, half of them a name.
const ROUNDS: usize = 100;

#[test]
fn each_name_reaches_its_own_host_through_its_own_listener() {
    let mut world = Setup { internet: Internet::bare, ..Setup::default() }.build();
    let directory = tempfile::tempdir().unwrap();
    let place = &world.internet.namespace;
    let hosts = [("github.com", GITHUB), ("gitlab.com", GITLAB)];
    let _resolver = start_dnsmasq(place, directory.path(), RESOLVER, &hosts);
    let [github, gitlab] = hosts.map(|(name, address)| Sshd::start(place, directory.path(), name, address));
    let stranger = Sshd::start(place, directory.path(), "stranger", STRANGER);
    assert_ne!(github.key, gitlab.key);
    world.gateway.start();
    let keys = [("github.com", &github.key), ("gitlab.com", &gitlab.key)];

    let [over_v4, over_v6] = Family::BOTH.map(|family| resolv_conf(directory.path(), RESOLVER.of(family)));
    let resolv_conf = |family| match family {
        Family::V4 => over_v4.as_path(),
        Family::V6 => over_v6.as_path(),
    };

    std::thread::scope(|scope| {
        for client in &world.clients {
            let (resolv_conf, keys) = (&resolv_conf, &keys);
            scope.spawn(move || {
                for (name, key, family) in in_random_order(keys) {
                    let found = keyscan(&client.namespace, resolv_conf(family), family.flag(), name);
                    assert_eq!(found, **key, "{name} over {family:?}");
                }
            });
        }
    });

    both(|family| world.clients[0].is_refused(STRANGER.of(family), 22));
    assert_eq!(stranger.connections(), 0);
    counts_are_right(&world, [&github, &gitlab]);
    assert_eq!(world.internet.wire.leaked(), []);
}

type Round<'k> = (&'static str, &'k String, Family);

fn in_random_order<'k>(keys: &[(&'static str, &'k String); 2]) -> Vec<Round<'k>> {
    let round = |index: usize| {
        let (name, key) = keys[index % 2];
        (name, key, Family::BOTH[index / 2 % 2])
    };
    let mut rounds: Vec<Round> = (0..ROUNDS).map(round).collect();
    rounds.shuffle(&mut rand::rng());
    rounds
}

/// Envoy's counters, sshd's own logs and decider's events tell the same story.
fn counts_are_right(world: &World, hosts: [&Sshd; 2]) {
    let connections = listener_connections(&world.gateway);
    let events = world.gateway.events();
    for (name, host) in ["github.com", "gitlab.com"].into_iter().zip(hosts) {
        assert_eq!(connections[name], ROUNDS as u64, "{connections:?}");
        assert_eq!(host.connections(), ROUNDS);
        assert!(host.came_only_from(&GATEWAY.both()));
        let allowed = events.iter().filter(|event| event["domain"] == name && event["verdict"] == "allow");
        let (mut total, mut clients) = (0, Vec::new());
        for event in allowed {
            assert_eq!((&event["rule"], &event["reason"]), (&format!("{name}:22/ssh").into(), &"allowed".into()));
            total += event["repeated"].as_u64().unwrap_or(1);
            clients.push(event["client"].as_str().unwrap().parse().unwrap());
        }
        assert_eq!(total, ROUNDS as u64);
        for client in CLIENTS.iter().flat_map(|client| client.both()) {
            assert!(clients.contains(&client), "{client} is in no event about {name}");
        }
    }
}
