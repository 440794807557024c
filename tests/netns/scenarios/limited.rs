//! Rules for some clients only, rules that end by the clock, rules for ranges of ports.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::reload_cuts::{Ends, PORT, event, listener};
use crate::world::{Covered, Family, GITHUB, RESOLVER, Setup, World, both, eventually};

/// A world in which `rules` are in force, made with the addresses of the first client.
fn started(setup: Setup, rules: impl Fn(&str) -> Vec<String>) -> World {
    let mut world = setup.build();
    write(&world, rules);
    world.gateway.start();
    world
}

fn write(world: &World, rules: impl Fn(&str) -> Vec<String>) {
    let own = Family::BOTH.map(|family| format!("\"{}\"", world.covered(0).address(family)));
    let rules = rules(&format!("[{}]", own.join(", ")));
    world.gateway.write_rules(&rules.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_rule_is_for_its_clients_and_for_others_as_if_it_were_not_there() {
    let world = started(Setup { dns: ", queries: policy", ..Setup::default() }, |own| {
        vec![
            format!("{{ domain: github.com, proto: ssh, clients: {own} }}"),
            format!("{{ domain: gitlab.com, proto: ssh, action: deny, clients: {own} }}"),
            "{ id: everybody, domain: gitlab.com, proto: ssh }".to_owned(),
        ]
    });
    let [first, second] = [&world.clients[0], &world.clients[1]];
    both(|family| {
        assert!(GITHUB.both().contains(&first.reach_name("github.com", family, 22).unwrap()));
        let asked = second.ask(RESOLVER.of(family), "github.com", family).unwrap();
        assert_eq!(asked.addresses, Vec::<IpAddr>::new());
        // It knows the address all the same, and another client has asked for the name.
        second.is_refused(GITHUB.of(family), 22);
        world.gateway.event(GITHUB.of(family), 22, "name-not-allowed");

        let address = second.look_up("gitlab.com", family)[0];
        assert!(second.reach(address, 22).is_ok());
        first.is_refused(address, 22);
        world.gateway.event(address, 22, "denied-by-rule");
    });
    let rules = world.gateway.json(&["rules"]);
    let clients: Vec<usize> =
        rules.as_array().unwrap().iter().map(|rule| rule["clients"].as_array().map_or(0, Vec::len)).collect();
    assert_eq!(clients, [2, 2, 0]);
    assert_eq!(world.internet.wire.leaked(), []);
    world.gateway.adds_up();
}

#[test]
fn who_is_none_of_its_clients_any_more_is_cut() {
    let rule = |clients: &str| format!("{{ id: git, domain: github.com, proto: tcp, port: {PORT}{clients} }}");
    let world = started(Setup::default(), |_| vec![rule("")]);
    let listener = listener(&world);
    let mut going = Family::BOTH.map(|family| Ends::open(&world, &listener, "github.com", family));
    write(&world, |own| vec![rule(&format!(", clients: {own}"))]);
    let told = world.gateway.reloads();
    assert_eq!(told["cut"].as_array().map(Vec::len), Some(0), "{told}");
    assert!(going.iter_mut().all(Ends::is_alive));
    let elsewhere = r#", clients: [192.0.2.77, "2001:db8:77::/64"]"#;
    write(&world, |_| vec![rule(elsewhere)]);
    let told = world.gateway.reloads();
    assert_eq!(told["cut"].as_array().map(Vec::len), Some(2), "{told}");
    going.iter_mut().for_each(Ends::are_reset);
    both(|family| world.covered(0).is_refused(GITHUB.of(family), PORT));
}

fn ends_on_its_time(covered: Covered, top: &'static str) {
    let mut world = Setup { covered, top, ..Setup::default() }.build();
    world.gateway.write_rules(&["{ domain: gitlab.com, proto: ssh }"]);
    world.gateway.start();
    let listener = listener(&world);
    let ends = SystemTime::now() + Duration::from_secs(8);
    let expires = Timestamp::try_from(ends).unwrap();
    let rule = format!("{{ id: brief, domain: github.com, proto: tcp, port: {PORT}, expires: \"{expires}\" }}");
    world.gateway.write_rules(&["{ domain: gitlab.com, proto: ssh }", &rule]);
    world.gateway.reloads();
    let mut going = Family::BOTH.map(|family| Ends::open(&world, &listener, "github.com", family));
    assert_eq!(world.gateway.json(&["rules"])[1]["expires"], expires.to_string());
    for ends in &mut going {
        ends.patient();
        ends.are_reset();
    }
    assert!(SystemTime::now() >= ends);
    assert_eq!(event(&world, going[0].client())["rule"], "brief");
    both(|family| {
        let address = world.covered(0).look_up("github.com", family)[0];
        world.covered(0).is_refused(address, PORT);
        world.gateway.event(address, PORT, "port-not-allowed");
    });
    let log = || world.gateway.process.as_ref().unwrap().log();
    eventually("the end in the log", || log().contains("a rule is over: its `expires` has passed").then_some(()));
    assert_eq!(world.gateway.json(&["rules"]).as_array().map(Vec::len), Some(1));
    // The file still has it, and may be read again.
    let told = world.gateway.reloads();
    assert!(told["notes"].to_string().contains("the rule brief is over"), "{told}");
    assert_eq!(world.internet.wire.leaked(), []);
    world.gateway.adds_up();
}

#[test]
fn a_rule_ends_on_its_time_and_its_connections_with_it() {
    ends_on_its_time(Covered::Clients, "");
}

#[test]
fn a_rule_ends_on_its_time_for_the_host_itself() {
    ends_on_its_time(Covered::Host, "");
}

#[test]
fn a_rule_ends_on_its_time_for_what_the_kernel_lets_through_by_itself() {
    ends_on_its_time(Covered::Clients, "fast_path: true\n");
}

#[test]
fn all_ports_of_a_range_are_allowed_and_no_others() {
    let rules = "[{ domain: github.com, proto: tcp, port: [7000-7002, 7004] }]";
    let world = Setup { rules, ..Setup::default() }.start();
    assert_eq!(world.gateway.json(&["rules"])[0]["id"], "github.com:7000-7002,7004/tcp");
    let listeners: Vec<TcpListener> = (6999..=7005)
        .map(|port| world.internet.namespace.enter(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).unwrap()))
        .collect();
    both(|family| {
        let address = world.covered(0).look_up("github.com", family)[0];
        for listener in &listeners {
            let port = listener.local_addr().unwrap().port();
            if [7000, 7001, 7002, 7004].contains(&port) {
                let near = world.covered(0).connect(address, port).unwrap();
                let (far, _) = listener.accept().unwrap();
                assert_eq!(far.local_addr().unwrap(), SocketAddr::new(far.local_addr().unwrap().ip(), port));
                drop(near);
            } else {
                world.covered(0).is_refused(address, port);
            }
        }
    });
    assert_eq!(world.internet.wire.leaked(), []);
    world.gateway.adds_up();
}
