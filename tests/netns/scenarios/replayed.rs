//! A capture of a session, taken in the client while decider runs: `decider replay` decides of it what was decided then.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::over_tcp::{honest, open};
use crate::world::{
    Client, Family, GATEWAY_INSIDE, GITHUB, GITLAB, Process, Question, RESOLVER, RawSender, STRANGER, Setup, World,
    both, datagram, eventually, resolv_conf, with_resolv_conf,
};

/// What has to be the same.
const SAME: [&str; 10] =
    ["verdict", "reason", "rule", "domain", "client", "client_port", "dst", "dst_port", "proto", "path"];

fn capture(client: &Client, file: &Path) -> Process {
    let mut command = Command::new("tcpdump");
    command.args(["-i", "eth0", "-s", "0", "-U", "--immediate-mode", "-Z", "root", "-w"]).arg(file);
    let process = Process::start(&client.namespace, &mut command, &file.with_extension("log"));
    eventually("a capture", || process.log().contains("listening on").then_some(()));
    process
}

/// A real program looks a name up by the system's own library, and connects.
fn visit(client: &Client, resolver: &Path, name: &str) {
    let mut command = with_resolv_conf(resolver);
    command.args(["timeout", "15", "bash", "-c", "exec 3<>/dev/tcp/$0/22; read -r line <&3", name]);
    let status = client.namespace.enter(|| command.stdin(Stdio::null()).status().unwrap());
    assert!(status.success(), "{name} was not reached");
}

fn session(world: &World, family: Family) {
    let client = &world.clients[0];
    visit(client, &resolv_conf(world.gateway.directory.path(), RESOLVER.of(family)), "github.com");
    let mut stream = open(world, family);
    let told = stream.look_up(1, Question::new("gitlab.com", family));
    assert_eq!(told.addresses, [GITLAB.of(family)]);
    assert_eq!(client.reach(GITLAB.of(family), 22).unwrap(), GITLAB.of(family));
    // Answered by decider itself.
    assert!(client.ask(RESOLVER.of(family), "evil.example", family).unwrap().addresses.is_empty());
    stream.ask(2, Question::new("worse.example", family));
    assert!(stream.hear_message().addresses.is_empty());
    client.is_refused(STRANGER.of(family), 22);
    client.is_refused(GITHUB.of(family), 8022);
    client.is_refused(GATEWAY_INSIDE.of(family), 22);
    let (from, to) = (client.address(family), STRANGER.of(family));
    let datagram = datagram(SocketAddr::new(from, 5000), SocketAddr::new(to, 9999), b"hello");
    RawSender::new(&client.namespace).send(&datagram);
}

/// The decisions in an order that does not depend on when they were told, and without what only one side knows: whether the
/// kernel knew already what to let through.
fn decisions(events: &[Value]) -> Vec<Vec<String>> {
    let said = |event: &Value, key: &str| match (event["verdict"].as_str(), key) {
        (Some("allow"), "path") => "either".to_owned(),
        _ => event[key].to_string(),
    };
    let mut found: Vec<Vec<String>> =
        events.iter().map(|event| SAME.iter().map(|key| said(event, key)).collect()).collect();
    found.sort();
    found
}

fn replayed(world: &World, file: &Path) -> Vec<Value> {
    let [v4, v6] = GATEWAY_INSIDE.both().map(|address| address.to_string());
    let (file, policy) = (file.display().to_string(), world.gateway.path("policy.yaml").display().to_string());
    let output = world.gateway.cli(&["replay", &file, "--policy", &policy, "--here", &v4, "--here", &v6, "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line.get("summary").is_none()).collect()
}

#[test]
fn a_captured_session_is_decided_as_it_was() {
    let world = Setup { dns: ", queries: policy", ..Setup::default() }.start();
    let _resolver = honest(&world);
    let file = world.gateway.path("session.pcap");
    let mut capture = capture(&world.clients[0], &file);
    both(|family| session(&world, family));
    // Of each family: two visits, two questions, three strangers thrice, a datagram.
    let live = eventually("every decision", || {
        let events = world.gateway.events();
        (events.len() >= 2 * 14).then_some(events)
    });
    eventually("the same decisions in the capture", || (replayed(&world, &file).len() >= live.len()).then_some(()));
    capture.signal(Signal::SIGINT);
    capture.ended_within(std::time::Duration::from_secs(10)).expect("tcpdump did not end");
    assert_eq!(decisions(&replayed(&world, &file)), decisions(&live));
}
