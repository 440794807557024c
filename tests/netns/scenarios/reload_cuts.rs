//! Connections that a new policy does not allow are cut on both sides; others feel nothing.

use std::io::{self, Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::world::{Covered, Family, GITHUB, GITLAB, SHARED, Setup, World, both, eventually};

/// No server of the world has it.
pub const PORT: u16 = 7000;
/// Longer than a cut takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(3);

/// A connection through Envoy, with the server's end of it.
pub struct Ends {
    near: TcpStream,
    far: TcpStream,
}

impl Ends {
    pub fn open(world: &World, listener: &TcpListener, name: &str, family: Family) -> Self {
        let client = world.covered(0);
        let near = client.connect(client.look_up(name, family)[0], PORT).unwrap();
        let (far, _) = listener.accept().unwrap();
        let mut ends = Self { near, far };
        ends.near.set_read_timeout(Some(PATIENCE)).unwrap();
        ends.far.set_read_timeout(Some(PATIENCE)).unwrap();
        assert!(ends.is_alive());
        ends
    }

    pub fn is_alive(&mut self) -> bool {
        let there = self.near.write_all(b"there").is_ok() && self.far.read_exact(&mut [0; 5]).is_ok();
        there && self.far.write_all(b"back").is_ok() && self.near.read_exact(&mut [0; 4]).is_ok()
    }

    /// Both sides hear of a reset, and of nothing in front of it.
    pub fn are_reset(&mut self) {
        for (side, stream) in [("client", &mut self.near), ("server", &mut self.far)] {
            let end = stream.read(&mut [0]);
            let is_reset = end.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset);
            assert!(is_reset, "{side}: no reset but {end:?}");
        }
    }

    /// Waits longer than a temporary rule lasts that a test asks for.
    pub fn patient(&self) {
        for side in [&self.near, &self.far] {
            side.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        }
    }

    pub fn client(&self) -> SocketAddr {
        self.near.local_addr().unwrap()
    }
}

pub fn listener(world: &World) -> TcpListener {
    world.internet.namespace.enter(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, PORT)).unwrap())
}

fn rule(id: &str, name: &str) -> String {
    format!("{{ id: {id}, domain: {name}, proto: tcp, port: {PORT} }}")
}

fn write(world: &World, rules: &[&str]) {
    world.gateway.write_rules(rules);
}

fn started(covered: Covered, rules: &[&str]) -> (World, TcpListener) {
    let mut world = Setup { covered, ..Setup::default() }.build();
    write(&world, rules);
    world.gateway.start();
    let listener = listener(&world);
    (world, listener)
}

/// Whether it is about the connection from there.
fn is_of(told: &Value, client: SocketAddr) -> bool {
    told["client"] == client.ip().to_string() && told["client_port"] == client.port()
}

/// The event of a cut.
pub fn event(world: &World, client: SocketAddr) -> Value {
    let is_it = |event: &&Value| is_of(event, client) && event["reason"] == "policy-changed";
    eventually("the event of a cut", || world.gateway.events().iter().find(is_it).cloned())
}

pub fn a_rule_that_goes(covered: Covered) {
    let (git, lab, db) = (rule("git", "github.com"), rule("lab", "gitlab.com"), rule("db", "db.example.com"));
    let (world, listener) = started(covered, &[&git, &lab, &db]);
    let mut going = Family::BOTH.map(|family| Ends::open(&world, &listener, "github.com", family));
    let mut idle = Family::BOTH.map(|family| Ends::open(&world, &listener, "github.com", family));
    let mut staying = Family::BOTH.map(|family| Ends::open(&world, &listener, "gitlab.com", family));

    write(&world, &[&lab, &db]);
    let told = world.gateway.reload(&["--dry-run"]).1;
    assert_eq!((&told["ok"], told["cut"].as_array().unwrap().len()), (&true.into(), 4), "{told}");
    for ends in going.iter().chain(&idle) {
        assert!(told["cut"].as_array().unwrap().iter().any(|cut| is_of(cut, ends.client())), "{told}");
    }
    // The last acknowledgement of each comes a little later, when the ruleset may have changed already.
    assert!(staying.iter_mut().chain(&mut going).all(Ends::is_alive));

    let began = Instant::now();
    let answer = world.gateway.reloads();
    assert_eq!(answer["cut"].as_array().unwrap().len(), 4, "{answer}");
    for ends in going.iter_mut().chain(&mut idle) {
        ends.are_reset();
    }
    println!("cut on both sides {:?} after the command was given", began.elapsed());
    for (family, ends) in Family::BOTH.iter().zip(&going) {
        let event = event(&world, ends.client());
        assert_eq!(
            (&event["verdict"], &event["rule"], &event["domain"]),
            (&json!("deny"), &json!("git"), &json!("github.com"))
        );
        assert_eq!((&event["dst"], &event["dst_port"]), (&json!(GITHUB.of(*family).to_string()), &json!(PORT)));
    }
    // Longer than Envoy keeps what is taken from it.
    std::thread::sleep(Duration::from_secs(2));
    assert!(staying.iter_mut().all(Ends::is_alive));
    world.gateway.adds_up();
}

#[test]
fn a_rule_that_goes_takes_its_connections_along_with_a_reset_on_both_sides() {
    a_rule_that_goes(Covered::Clients);
}

pub fn port_name_and_denial(covered: Covered) {
    let wild = "{ id: wild, domain: \"*.example.com\", proto: tcp, port: 7000 }";
    let git = rule("git", "github.com");
    let (world, listener) =
        started(covered, &[&git, "{ id: lab, domain: gitlab.com, proto: tcp, port: [22, 7000] }", wild]);
    world.internet.zone.put("good.example.com", &SHARED.both());
    for family in Family::BOTH {
        let mut by_name = Ends::open(&world, &listener, "github.com", family);
        let mut by_port = Ends::open(&world, &listener, "gitlab.com", family);
        let mut denied = Ends::open(&world, &listener, "db.example.com", family);
        write(
            &world,
            &[
                &rule("git", "one.example"),
                "{ id: lab, domain: gitlab.com, proto: tcp, port: 22 }",
                wild,
                "{ domain: db.example.com, proto: tcp, port: 7000, action: deny }",
            ],
        );
        let answer = world.gateway.reloads();
        let mut why: Vec<&str> =
            answer["cut"].as_array().unwrap().iter().map(|cut| cut["why"].as_str().unwrap()).collect();
        why.sort_unstable();
        let expected =
            ["a rule denies its name", "its rule is not for this port any more", "its rule leads elsewhere now"];
        assert_eq!(why, expected);
        for ends in [&mut by_name, &mut by_port, &mut denied] {
            ends.are_reset();
        }
        // Another name below the same wildcard is nobody's business.
        let mut other = Ends::open(&world, &listener, "good.example.com", family);
        world.gateway.reloads();
        assert!(other.is_alive());
        write(&world, &[&git, "{ id: lab, domain: gitlab.com, proto: tcp, port: [22, 7000] }", wild]);
        world.gateway.reloads();
        assert!(other.is_alive());
    }
}

#[test]
fn a_connection_goes_with_its_port_with_its_name_and_with_a_denial() {
    port_name_and_denial(Covered::Clients);
}

/// With the smallest mask there is a mark for eleven rules: a twelfth one needs one of another's.
#[test]
fn no_rule_has_a_mark_while_a_connection_of_another_rule_lives_by_it() {
    let mut world = Setup::default().build();
    let policy = world.gateway.policy();
    world.gateway.write_policy(&policy.replace("envoy: {", "marks: { mask: \"0xf\" }\nenvoy: {"));
    let mut rules: Vec<String> =
        (0..10).map(|number| rule(&format!("n{number}"), &format!("n{number}.example"))).collect();
    rules.push(rule("git", "github.com"));
    let write = |world: &World, rules: &[String]| {
        world.gateway.write_rules(&rules.iter().map(String::as_str).collect::<Vec<_>>());
    };
    write(&world, &rules);
    world.gateway.start();
    let listener = listener(&world);
    let mark = |world: &World, id: &str| -> Value {
        let rules = world.gateway.json(&["rules"]);
        rules.as_array().unwrap().iter().find(|rule| rule["id"] == id).unwrap()["mark"].clone()
    };
    let mut names = ["github.com", "gitlab.com"];
    let mut ids = ["git", "lab"];
    for _ in 0..2 {
        let before = mark(&world, ids[0]);
        let mut going = Family::BOTH.map(|family| Ends::open(&world, &listener, names[0], family));
        rules.pop();
        rules.push(rule(ids[1], names[1]));
        write(&world, &rules);
        world.gateway.reloads();
        // The mark is the same, and what had it is gone.
        assert_eq!(mark(&world, ids[1]), before);
        going.iter_mut().for_each(Ends::are_reset);
        let mut coming = Family::BOTH.map(|family| Ends::open(&world, &listener, names[1], family));
        assert!(coming.iter_mut().all(Ends::is_alive));
        let expected = if names[1] == "gitlab.com" { GITLAB } else { GITHUB };
        for (ends, family) in coming.iter().zip(Family::BOTH) {
            assert!(expected.both().contains(&ends.far.local_addr().unwrap().ip().to_canonical()), "{family:?}");
        }
        names.reverse();
        ids.reverse();
    }
}

pub fn a_restart_after_a_crash(covered: Covered) {
    let (git, lab) = (rule("git", "github.com"), rule("lab", "gitlab.com"));
    let (mut world, listener) = started(covered, &[&git, &lab]);
    let mut going = Family::BOTH.map(|family| Ends::open(&world, &listener, "github.com", family));
    let mut astray = Family::BOTH.map(|family| Ends::open(&world, &listener, "gitlab.com", family));
    write(&world, &[&rule("db", "db.example.com"), &git, &lab]);
    world.gateway.reloads();
    let mut staying = Family::BOTH.map(|family| Ends::open(&world, &listener, "db.example.com", family));
    world.gateway.end_by(Signal::SIGKILL);
    assert!(going.iter_mut().chain(&mut staying).all(Ends::is_alive));
    // One is gone, one leads elsewhere by the same name, one is as it was.
    write(&world, &[&rule("db", "db.example.com"), &rule("lab", "one.example")]);
    world.gateway.start();
    going.iter_mut().chain(&mut astray).for_each(Ends::are_reset);
    std::thread::sleep(Duration::from_secs(2));
    assert!(staying.iter_mut().all(Ends::is_alive));
    both(|_| drop(event(&world, going[0].client())));
}

#[test]
fn a_restart_after_a_crash_judges_the_connections_that_went_on() {
    a_restart_after_a_crash(Covered::Clients);
}

#[test]
fn clients_that_are_not_covered_any_more_are_cut() {
    let (world, listener) = started(Covered::Clients, &[&rule("git", "github.com")]);
    let mut going = Ends::open(&world, &listener, "github.com", Family::V4);
    let mut staying = Ends::open(&world, &listener, "github.com", Family::V6);
    let policy = world.gateway.policy();
    let narrow = policy.replace("networks: [10.77.0.0/16,", "networks: [10.99.0.0/16,");
    assert_ne!(policy, narrow);
    world.gateway.write_policy(&narrow);
    let answer = world.gateway.reloads();
    assert_eq!(answer["cut"][0]["why"], "its client is not covered any more", "{answer}");
    going.are_reset();
    assert!(staying.is_alive());
}
