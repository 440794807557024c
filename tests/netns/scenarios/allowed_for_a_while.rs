//! `decider allow`: exactly what was asked for is let through, to whom it was asked for, and no longer.

use std::net::IpAddr;
use std::process::Output;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::reload_cuts::{Ends, PORT, event, listener};
use crate::world::{Covered, Family, GITHUB, SHARED, Setup, World, both, eventually};

const RULES: &str = "
  - { domain: gitlab.com, proto: ssh }
  - { domain: db.example.com, proto: tcp, port: 7000, action: deny }
";
/// As the rule of a policy file would be called that says the same.
const ID: &str = "github.com:7000/tcp";

fn started() -> World {
    Setup { rules: RULES, ..Setup::default() }.start()
}

/// The exit code, and the answer.
fn allow(world: &World, arguments: &[&str]) -> (i32, Value) {
    answer(&world.gateway.cli(&[&["allow", "--json"], arguments].concat()))
}

fn answer(output: &Output) -> (i32, Value) {
    let answer = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code().unwrap(), answer)
}

/// The same, which has to work.
fn allows(world: &World, arguments: &[&str]) -> Value {
    let (code, answer) = allow(world, arguments);
    assert_eq!((code, &answer["ok"], &answer["not_ready"]), (0, &true.into(), &json!([])), "{arguments:?}: {answer}");
    answer
}

/// The ids of the temporary rules.
fn listed(world: &World) -> Vec<String> {
    let rules = world.gateway.json(&["allow", "--list"]);
    rules.as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap().to_owned()).collect()
}

fn rule(world: &World, id: &str) -> Option<Value> {
    let rules = world.gateway.json(&["rules"]);
    rules.as_array().unwrap().iter().find(|rule| rule["id"] == id).cloned()
}

fn refuses(world: &World, client: usize, name: &str, family: Family, port: u16, reason: &str) {
    let address = world.covered(client).look_up(name, family)[0];
    world.covered(client).is_refused(address, port);
    world.gateway.event(address, port, reason);
}

pub fn its_time(covered: Covered) {
    // No rule has the port.
    let rules = "[{ domain: gitlab.com, proto: ssh }]";
    let world = Setup { covered, rules, ..Setup::default() }.start();
    let listener = listener(&world);
    both(|family| refuses(&world, 0, "github.com", family, PORT, "port-not-allowed"));
    let began = Instant::now();
    let told = allows(&world, &["github.com:7000", "--for", "8s"]);
    assert_eq!((&told["rules"][0]["id"], &told["rules"][0]["for_s"]), (&ID.into(), &8.into()), "{told}");
    assert_eq!(told["notes"], json!(["tcp is assumed, since no proto was named"]));
    let mut going = Family::BOTH.map(|family| Ends::open(&world, &listener, "github.com", family));
    assert_eq!(rule(&world, ID).unwrap()["temporary"]["id"], ID);
    assert_eq!(world.gateway.status()["temporary"][0]["id"], ID);
    assert_eq!(listed(&world), [ID]);
    both(|family| {
        let (client, dst) = (world.covered(0).address(family), GITHUB.of(family));
        let explained = world.gateway.json(&[
            "explain",
            "--client",
            &client.to_string(),
            "--dst",
            &dst.to_string(),
            "--port",
            "7000",
        ]);
        assert!(explained.to_string().contains("temporary, "), "{explained}");
        // What was not asked for stays as it was.
        refuses(&world, 0, "github.com", family, 22, "port-not-allowed");
        refuses(&world, 0, "gitlab.com", family, PORT, "port-not-allowed");
    });
    for ends in &mut going {
        ends.patient();
        ends.are_reset();
    }
    let lasted = began.elapsed();
    println!("both sides were reset {lasted:?} after the command was given");
    assert!(lasted >= Duration::from_secs(8) && lasted < Duration::from_secs(14), "it lasted {lasted:?}");
    assert_eq!(event(&world, going[0].client())["rule"], ID);
    assert_eq!(listed(&world), Vec::<String>::new());
    assert_eq!(rule(&world, ID), None);
    both(|family| refuses(&world, 0, "github.com", family, PORT, "port-not-allowed"));
    for word in ["a temporary rule was added", "a temporary rule has ended"] {
        let told = || world.gateway.process.as_ref().unwrap().log().matches(word).count();
        eventually(word, || (told() > 0).then_some(()));
        assert_eq!(told(), 1, "{word}");
    }
    world.gateway.adds_up();
}

#[test]
fn it_ends_on_time_and_its_connections_are_reset_on_both_sides() {
    its_time(Covered::Clients);
}

#[test]
fn it_ends_on_time_for_the_host_itself() {
    its_time(Covered::Host);
}

#[test]
fn it_is_for_the_client_that_was_named_and_for_nobody_else() {
    let world = Setup { dns: ", queries: policy", rules: RULES, ..Setup::default() }.start();
    both(|family| {
        let [own, other] = [0, 1].map(|index| world.clients[index].address(family));
        let told = allows(&world, &["github.com", "--for", "5m", "--client", &own.to_string()]);
        assert_eq!(told["rules"][0]["id"], format!("github.com:22/ssh@{own}"), "{told}");
        let reached = world.clients[0].reach_name("github.com", family, 22).unwrap();
        assert!(GITHUB.both().contains(&reached));
        // Another client may not even ask for it, and is refused where it knows the address.
        let resolver = crate::world::RESOLVER.of(family);
        assert_eq!(world.clients[1].ask(resolver, "github.com", family).unwrap().addresses, Vec::<IpAddr>::new());
        world.clients[1].is_refused(GITHUB.of(family), 22);
        world.gateway.event(GITHUB.of(family), 22, "name-not-allowed");
        let explained = world.gateway.json(&[
            "explain",
            "--client",
            &other.to_string(),
            "--dst",
            &GITHUB.of(family).to_string(),
            "--port",
            "22",
        ]);
        assert!(explained.to_string().contains("is for other clients"), "{explained}");
        // Nor is the same client let through by its other address.
        if family == Family::V4 {
            world.clients[0].is_refused(GITHUB.of(Family::V6), 22);
        }
    });
    assert_eq!(world.internet.wire.leaked(), []);
    world.gateway.adds_up();
}

#[test]
fn it_survives_a_crash_and_a_reload_and_not_its_own_end() {
    let mut world = started();
    let listener = listener(&world);
    allows(&world, &["github.com:7000/tcp", "--for", "10m"]);
    let short = allows(&world, &["one.example:7000/tcp", "--for", "6s"]);
    assert_eq!(short["rules"][0]["left_s"], 6);
    let mut staying = Family::BOTH.map(|family| Ends::open(&world, &listener, "github.com", family));
    let mut going = Family::BOTH.map(|family| Ends::open(&world, &listener, "one.example", family));
    let before = rule(&world, ID).unwrap();
    world.gateway.end_by(Signal::SIGKILL);
    assert!(staying.iter_mut().chain(&mut going).all(Ends::is_alive));
    std::thread::sleep(Duration::from_secs(6));
    world.gateway.start();
    let after = rule(&world, ID).unwrap();
    assert_eq!((&after["mark"], &after["listener_port"]), (&before["mark"], &before["listener_port"]));
    assert!(after["temporary"]["left_s"].as_u64() < before["temporary"]["left_s"].as_u64(), "{after}");
    assert_eq!(listed(&world), [ID]);
    going.iter_mut().for_each(Ends::are_reset);
    assert!(staying.iter_mut().all(Ends::is_alive));
    drop(Ends::open(&world, &listener, "github.com", Family::V6));

    world.gateway.write_rules(&["{ domain: gitlab.com, proto: ssh }", "{ domain: two.example, proto: ssh }"]);
    world.gateway.reloads();
    assert_eq!(listed(&world), [ID]);
    assert!(staying.iter_mut().all(Ends::is_alive));

    // The file says the same itself: nobody notices.
    world.gateway.write_rules(&["{ domain: github.com, proto: tcp, port: 7000 }"]);
    let told = world.gateway.reload(&["--dry-run"]).1;
    assert!(told["notes"].to_string().contains("would be dropped: `github.com` is allowed on port 7000"), "{told}");
    assert_eq!(listed(&world), [ID]);
    let told = world.gateway.reloads();
    assert_eq!((&told["cut"], &told["changed"][0]["what"]), (&json!([]), &json!(["temporary: yes -> no"])), "{told}");
    assert_eq!(listed(&world), Vec::<String>::new());
    assert!(staying.iter_mut().all(Ends::is_alive));
    world.gateway.adds_up();
}

#[test]
fn a_policy_file_that_denies_it_ends_it() {
    let mut world = started();
    let listener = listener(&world);
    allows(&world, &["*.example.com:7000", "--for", "10m"]);
    allows(&world, &["github.com:7000", "--for", "10m"]);
    world.internet.zone.put("good.example.com", &SHARED.both());
    let mut wild = Family::BOTH.map(|family| Ends::open(&world, &listener, "good.example.com", family));
    let mut going = Family::BOTH.map(|family| Ends::open(&world, &listener, "github.com", family));
    // A deny rule for one of its names beats it from the first moment on.
    both(|family| refuses(&world, 0, "db.example.com", family, PORT, "denied-by-rule"));
    world.gateway.write_rules(&[
        "{ domain: db.example.com, proto: tcp, port: 7000, action: deny }",
        "{ domain: github.com, proto: tcp, port: 7000, action: deny }",
    ]);
    let told = world.gateway.reloads();
    let expected = format!(
        "the temporary rule {ID} is dropped: `github.com` stays denied on port 7000 by the rule {ID}: deny beats allow"
    );
    assert_eq!(told["notes"], json!([expected]));
    going.iter_mut().for_each(Ends::are_reset);
    assert!(wild.iter_mut().all(Ends::is_alive));
    both(|family| refuses(&world, 0, "github.com", family, PORT, "denied-by-rule"));
    // Nor does it come back.
    world.gateway.write_rules(&["{ domain: gitlab.com, proto: ssh }"]);
    world.gateway.reloads();
    world.gateway.end_by(Signal::SIGTERM);
    world.gateway.start();
    assert_eq!(listed(&world), ["*.example.com:7000/tcp"]);
}

pub fn revoked(covered: Covered) {
    let world = Setup { covered, rules: RULES, ..Setup::default() }.start();
    let listener = listener(&world);
    allows(&world, &["github.com:7000", "--for", "10m"]);
    allows(&world, &["one.example:7000", "--for", "10m"]);
    let mut going = Family::BOTH.map(|family| Ends::open(&world, &listener, "github.com", family));
    let mut staying = Family::BOTH.map(|family| Ends::open(&world, &listener, "one.example", family));
    let (code, told) = allow(&world, &["--revoke", "gitlab.com"]);
    assert_eq!((code, &told["ok"]), (1, &false.into()), "{told}");
    let told = allows(&world, &["--revoke", "GitHub.com"]);
    assert_eq!((&told["rules"][0]["id"], told["cut"].as_array().unwrap().len()), (&ID.into(), 2), "{told}");
    going.iter_mut().for_each(Ends::are_reset);
    both(|family| refuses(&world, 0, "github.com", family, PORT, "name-not-allowed"));
    assert!(staying.iter_mut().all(Ends::is_alive));
    allows(&world, &["--revoke", "one.example:7000/tcp"]);
    staying.iter_mut().for_each(Ends::are_reset);
    assert_eq!(listed(&world), Vec::<String>::new());
    world.gateway.adds_up();
}

#[test]
fn it_is_revoked_by_name_and_by_id() {
    revoked(Covered::Clients);
}

#[test]
fn it_is_revoked_for_the_host_itself() {
    revoked(Covered::Host);
}

#[test]
fn it_ends_anew_when_it_is_allowed_again() {
    let world = started();
    let listener = listener(&world);
    allows(&world, &["github.com:7000", "--for", "10m"]);
    let mut ends = Family::BOTH.map(|family| Ends::open(&world, &listener, "github.com", family));
    let told = allows(&world, &["github.com:7000/tcp", "--for", "4s"]);
    assert_eq!((&told["renewed"], &told["rules"][0]["left_s"]), (&true.into(), &4.into()), "{told}");
    assert!(ends.iter_mut().all(Ends::is_alive));
    for ends in &mut ends {
        ends.patient();
        ends.are_reset();
    }
    assert_eq!(listed(&world), Vec::<String>::new());
}

#[test]
fn what_the_checker_of_policies_refuses_is_refused() {
    let mut world = Setup { rules: RULES, ..Setup::default() }.build();
    let policy = world.gateway.policy();
    world.gateway.write_policy(&policy.replace("envoy: {", "marks: { mask: \"0xf\" }\nenvoy: {"));
    world.gateway.start();
    let epoch = world.gateway.status()["epoch"].clone();
    for (target, code) in [
        ("*.com:22", "public-suffix"),
        ("*:22", "bad-wildcard"),
        ("192.0.2.7:22", "not-supported-yet"),
        ("2001:db8::7", "not-supported-yet"),
        ("https://github.com/x", "bad-name"),
        ("git hub.com", "bad-name"),
        ("", "bad-name"),
        ("github.com\n}, { domain: evil.example:22", "bad-name"),
        ("github.com:0", "out-of-range"),
        ("github.com:70000", "out-of-range"),
        ("github.com:ssh", "bad-number"),
        ("github.com:53", "dns-port"),
        ("github.com:22,23", "too-many"),
        ("github.com:20-30/tcp", "too-many"),
        ("github.com/tcp", "port-missing"),
        ("github.com/udp", "not-supported-yet"),
        ("github.com:22/shh", "unknown-word"),
        ("gitlab.com", "duplicate-rule"),
        ("db.example.com:7000/tcp", "conflicting-rules"),
    ] {
        let (exit, told) = allow(&world, &["--for", "5m", target]);
        assert_eq!((exit, &told["failure"]["code"]), (1, &code.into()), "{target:?}: {told}");
    }
    for time in ["500ms", "0s", "8d", "forever", "-1s", "99999999999999999999s"] {
        let (exit, told) = allow(&world, &["github.com", &format!("--for={time}")]);
        assert!(exit == 2 || told["failure"]["code"] == "out-of-range", "{time}: {exit} {told}");
    }
    let (exit, told) = allow(&world, &["github.com", "--for", "5m", "--client", "192.0.2.200"]);
    assert_eq!((exit, &told["failure"]["code"]), (1, &"no-effect".into()), "{told}");
    assert_eq!(world.gateway.status()["epoch"], epoch);
    // The smallest mask has marks for eleven rules, and one is taken.
    for number in 0..10 {
        allows(&world, &[&format!("n{number}.example:22"), "--for", "5m"]);
    }
    let (exit, told) = allow(&world, &["github.com:22", "--for", "5m"]);
    assert_eq!((exit, &told["failure"]["code"]), (1, &"no-room".into()), "{told}");
    assert_eq!(listed(&world).len(), 10);
    assert_eq!(world.gateway.status()["state"], "ok");
}

#[test]
fn only_root_allows_and_nonsense_is_answered() {
    let world = started();
    let socket = world.gateway.path("control.sock");
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    for mode in [0o600, 0o666] {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(mode)).unwrap();
        std::fs::set_permissions(world.gateway.directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        for arguments in [&["allow", "github.com", "--for", "5m"][..], &["allow", "--revoke", "github.com"]] {
            let output = world.gateway.cli_by("setpriv", &nobody, arguments);
            assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
    for request in [
        r#"{"v":1,"request":"allow"}"#,
        r#"{"v":1,"request":"allow","target":"github.com","for_s":-1,"client":null,"dry_run":false}"#,
        r#"{"v":1,"request":"allow","target":["github.com"],"for_s":60,"client":null,"dry_run":false}"#,
        r#"{"v":1,"request":"allow","target":"github.com","for_s":60,"client":"nobody","dry_run":false}"#,
        r#"{"v":1,"request":"allow","target":"github.com","for_s":60,"client":null,"dry_run":false,"by":0}"#,
        r#"{"v":1,"request":"revoke"}"#,
    ] {
        let reply = super::control_socket::reply_to(&world.gateway, format!("{request}\n").as_bytes());
        assert!(reply.contains("\"error\""), "{request}: {reply}");
    }
    assert_eq!(listed(&world), Vec::<String>::new());
    let told = eventually("a dry run", || Some(allow(&world, &["github.com", "--for", "5m", "--dry-run"]).1));
    assert_eq!((&told["ok"], &told["rules"][0]["id"]), (&true.into(), &"github.com:22/ssh".into()), "{told}");
    assert_eq!(listed(&world), Vec::<String>::new());
    both(|family| refuses(&world, 0, "github.com", family, 22, "name-not-allowed"));
}
