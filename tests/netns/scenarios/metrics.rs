//! Metrics say what happened, to the last packet, and as `status`, events and Envoy's access log say it.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::Value;

use crate::world::{
    Covered, Family, GATEWAY, GATEWAY_INSIDE, OpenFlow, STRANGER, Scrape, Setup, World, ask, both, eventually, request,
    within,
};

const PORT: u16 = 9533;

fn tcp(address: std::net::IpAddr) -> (String, SocketAddr) {
    let address = SocketAddr::new(address, PORT);
    (format!("metrics: {{ listen: \"{address}\" }}"), address)
}

/// The world with metrics at an address of the gateway's, and events in a file.
fn start(setup: Setup, address: std::net::IpAddr) -> (World, SocketAddr) {
    let mut world = setup.build();
    let (metrics, address) = tcp(address);
    let file = world.gateway.path("events/events.jsonl");
    world.gateway.add_to_policy(&format!("{metrics}\nevents: {{ file: {} }}", file.display()));
    world.gateway.start();
    (world, address)
}

/// Decisions as events tell them, by verdict, reason, rule and path.
fn told(events: &[Value]) -> BTreeMap<[String; 4], u64> {
    let mut sums = BTreeMap::new();
    for event in events {
        let field = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let weight = event["repeated"].as_u64().unwrap_or(1);
        *sums.entry(["verdict", "reason", "rule", "path"].map(field)).or_default() += weight;
    }
    sums
}

/// The same of a scrape.
fn scraped(scrape: &Scrape) -> BTreeMap<[String; 4], u64> {
    let decisions = scrape.of("decider_decisions_total");
    let key = |name: &str, labels: &BTreeMap<String, String>| labels[name].clone();
    decisions
        .map(|sample| (["verdict", "reason", "rule", "path"].map(|name| key(name, &sample.labels)), sample.whole()))
        .collect()
}

/// A JSON object's numbers, without those that are 0.
fn numbers(object: &Value) -> BTreeMap<String, u64> {
    let numbers = object.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.as_u64().unwrap()));
    numbers.filter(|(_, number)| *number > 0).collect()
}

/// How many connections of each rule reached a server, by Envoy's access log.
fn delivered(world: &World) -> BTreeMap<String, u64> {
    let log = std::fs::read_to_string(world.gateway.path("envoy/access.log")).unwrap();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut sums = BTreeMap::new();
    for line in lines.filter(|line| line["kind"] == "TcpUpstreamConnected") {
        *sums.entry(line["rule"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    sums
}

/// Waits until nothing is under way any more, and sees that all views say the same. Returns what they say.
fn agreed(world: &World, scrape: &dyn Fn() -> Scrape) -> BTreeMap<[String; 4], u64> {
    world.gateway.adds_up();
    let mut last = (BTreeMap::new(), BTreeMap::new());
    let same = within(Duration::from_secs(20), || {
        last = (scraped(&scrape()), told(&world.gateway.events()));
        (last.0 == last.1).then_some(())
    });
    assert!(same.is_some(), "metrics say {:#?}, events {:#?}", last.0, last.1);
    let mut allowed = BTreeMap::new();
    for ([verdict, _, rule, _], count) in &last.1 {
        if verdict == "allow" {
            *allowed.entry(rule.clone()).or_default() += count;
        }
    }
    // Envoy writes its log a little later.
    let agrees = within(Duration::from_secs(20), || (delivered(world) == allowed).then_some(()));
    assert!(agrees.is_some(), "Envoy says {:#?}, events {allowed:#?}", delivered(world));
    let (scrape, status) = (scrape(), world.gateway.status());
    let counters = &status["counters"];
    let outcomes = scrape.by("decider_syns_total", "outcome");
    for outcome in ["allowed", "denied", "audited", "malformed"] {
        assert_eq!(counters[outcome], outcomes.get(outcome).copied().unwrap_or(0), "{outcome}");
    }
    let both = |queue: &str, fast: &str| scrape.sum(queue) + scrape.sum(fast);
    assert_eq!(counters["queued"], both("decider_syns_queued_total", "decider_fast_syns_total"));
    assert_eq!(counters["repeated_syns"], both("decider_syns_repeated_total", "decider_fast_syns_repeated_total"));
    assert_eq!(counters["fast"], scrape.sum("decider_fast_syns_total"));
    assert_eq!(scrape.by("decider_refused_in_kernel_total", "reason"), numbers(&status["refused_in_kernel"]));
    // The connection of Envoy's own resolver goes on asking.
    let messages = scrape.by("decider_dns_messages_total", "outcome");
    assert_eq!(messages.keys().collect::<Vec<_>>(), numbers(&status["dns"]["messages"]).keys().collect::<Vec<_>>());
    let by_queues = scrape.by("decider_syns_total", "path").get("queue").copied().unwrap_or(0);
    let by_workers = by_queues - scrape.sum("decider_syns_repeated_total");
    assert_eq!(scrape.sum("decider_decision_wait_seconds_count"), by_workers);
    assert_eq!(scrape.sum("decider_policy_epoch"), status["epoch"].as_u64().unwrap());
    last.0
}

fn key(parts: [&str; 4]) -> [String; 4] {
    parts.map(str::to_owned)
}

/// Who decided on a connection that is let through: the kernel, if it knew already.
const EITHER: &str = "queue or fast";

fn whoever_decided(counts: BTreeMap<[String; 4], u64>) -> BTreeMap<[String; 4], u64> {
    let mut sums = BTreeMap::new();
    for ([verdict, reason, rule, path], count) in counts {
        let path = if verdict == "allow" { EITHER.to_owned() } else { path };
        *sums.entry([verdict, reason, rule, path]).or_default() += count;
    }
    sums
}

/// The script: of each kind some, and how many it makes, by what they are to be counted as.
fn play(world: &World, family: Family) {
    let client = &world.clients[0];
    for _ in 0..3 {
        client.reach_name("github.com", family, 22).unwrap();
    }
    client.reach_name("gitlab.com", family, 22).unwrap();
    // Each asks three times.
    client.is_refused(STRANGER.of(family), 22);
    client.is_refused(client.look_up("github.com", family)[0], 5432);
    client.is_refused(GATEWAY_INSIDE.of(family), PORT);
}

#[test]
fn metrics_status_and_events_agree_with_what_was_done_also_across_a_reload() {
    for listen in Family::BOTH {
        let (world, address) = start(Setup::default(), GATEWAY.of(listen));
        let scrape = || Scrape::tcp(&world.internet.namespace, address).unwrap();
        both(|family| play(&world, family));
        let mut wanted = BTreeMap::from([
            (key(["allow", "allowed", "github.com:22/ssh", EITHER]), 6),
            (key(["allow", "allowed", "gitlab.com:22/ssh", EITHER]), 2),
            (key(["deny", "no-observation", "", "queue"]), 6),
            (key(["deny", "port-not-allowed", "", "queue"]), 6),
            (key(["deny", "local-service", "", "fast"]), 6),
        ]);
        assert_eq!(whoever_decided(agreed(&world, &scrape)), wanted);
        let before = scrape();
        assert_eq!(before.by("decider_refused_in_kernel_total", "reason")["local-service"], 6);
        assert_eq!(before.by("decider_policy_mode", "mode"), BTreeMap::from([("enforce".to_owned(), 1)]));
        assert_eq!(before.sum("decider_reloads_total"), 0);
        assert_eq!(before.sum("decider_degraded"), 0);

        let held = Family::BOTH.map(|family| {
            let client = &world.clients[0];
            OpenFlow::new(client.connect(client.look_up("gitlab.com", family)[0], 22).unwrap())
        });
        world.gateway.write_rules(&["{ domain: github.com, proto: ssh }"]);
        world.gateway.reloads();
        both(|family| {
            let client = &world.clients[0];
            client.reach_name("github.com", family, 22).unwrap();
            client.is_refused(client.look_up("gitlab.com", family)[0], 22);
        });
        drop(held);
        *wanted.get_mut(&key(["allow", "allowed", "github.com:22/ssh", EITHER])).unwrap() += 2;
        *wanted.get_mut(&key(["allow", "allowed", "gitlab.com:22/ssh", EITHER])).unwrap() += 2;
        wanted.insert(key(["deny", "policy-changed", "gitlab.com:22/ssh", "fast"]), 2);
        wanted.insert(key(["deny", "name-not-allowed", "", "queue"]), 6);
        assert_eq!(whoever_decided(agreed(&world, &scrape)), wanted);

        std::fs::write(world.gateway.path("policy.yaml"), "version: 1\n").unwrap();
        assert_eq!(world.gateway.reload(&[]).0, 1);
        let after = scrape();
        assert_eq!(after.by("decider_reloads_total", "result"), counted(&[("done", 1), ("failed", 1)]));
        assert_eq!(after.by("decider_degraded", "what"), counted(&[("reload", 1)]));
        assert_eq!(after.sum("decider_last_reload_success"), 0);
        assert_eq!((after.sum("decider_policy_epoch"), after.sum("decider_policy_rules")), (2, 1));
        assert_eq!(world.internet.wire.leaked(), []);
    }
}

fn counted(parts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    parts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[test]
fn a_scraper_from_outside_is_answered_where_the_host_itself_is_covered() {
    for family in Family::BOTH {
        let (world, address) = start(Setup { covered: Covered::Host, ..Setup::default() }, GATEWAY_INSIDE.of(family));
        // Nothing of what the client sends is decided: it comes in.
        let outside = Scrape::tcp(&world.clients[0].namespace, address).unwrap();
        let inside = Scrape::tcp(&world.gateway.namespace, address).unwrap();
        assert_eq!(outside.families(), inside.families());
        world.works();
        // Events are counted a little later than verdicts are given.
        let decisions = || Scrape::tcp(&world.clients[0].namespace, address).unwrap();
        let allowed = || decisions().by("decider_decisions_total", "verdict").get("allow").copied();
        eventually("both connections", || (allowed() == Some(2)).then_some(()));
    }
}

#[test]
fn a_socket_is_for_root_and_the_group_that_may_look_and_taken_over_after_a_crash() {
    let mut world = Setup::default().build();
    let socket = world.gateway.path("sockets/metrics.sock");
    world.gateway.add_to_policy(&format!("metrics: {{ listen: \"unix:{}\" }}", socket.display()));
    world.gateway.arguments.extend(["--group", "staff"].map(str::to_owned));
    world.gateway.start();
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o660);
    assert_eq!(Scrape::unix(&socket).unwrap().sum("decider_build_info"), 1);
    world.gateway.end_by(nix::sys::signal::Signal::SIGKILL);
    assert!(socket.exists());
    world.gateway.start();
    assert_eq!(Scrape::unix(&socket).unwrap().sum("decider_build_info"), 1);
    world.works();
    world.gateway.end_by(nix::sys::signal::Signal::SIGTERM);
    eventually("the end of the socket", || (!socket.exists()).then_some(()));
}

/// The rows of the table in `docs/metrics.md`: name, type, labels, meaning.
fn documented() -> BTreeMap<String, [String; 3]> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `decider_"));
    let cells = rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect());
    let named = cells.map(|cells: Vec<String>| {
        let [name, kind, labels, meaning] =
            cells.try_into().unwrap_or_else(|cells| panic!("not four cells: {cells:?}"));
        (name, [kind, labels, meaning])
    });
    named.collect()
}

#[test]
fn the_table_in_the_documents_is_that_of_a_real_scrape() {
    let (world, address) = start(Setup::default(), GATEWAY.of(Family::V4));
    both(|family| play(&world, family));
    world.gateway.reloads();
    let scrape = Scrape::tcp(&world.internet.namespace, address).unwrap();
    let (families, helps) = (scrape.families(), scrape.helps());
    let real: BTreeMap<String, [String; 3]> = families
        .iter()
        .map(|(name, kind)| {
            let sample = if kind == "histogram" { format!("{name}_count") } else { name.clone() };
            let mut labels = scrape.labels(&sample).unwrap_or_else(|| panic!("no sample of {name}"));
            labels.sort();
            (name.clone(), [kind.clone(), labels.join(", "), helps[name].replace('`', "")])
        })
        .collect();
    let mut documented = documented();
    for [_, labels, _] in documented.values_mut() {
        let mut sorted: Vec<&str> = labels.split(", ").collect();
        sorted.sort_unstable();
        *labels = sorted.join(", ");
    }
    assert_eq!(documented, real);
}

#[test]
fn nothing_of_the_network_gets_into_a_label() {
    let (world, address) = start(Setup::default(), GATEWAY.of(Family::V6));
    both(|family| play(&world, family));
    let scrape = Scrape::tcp(&world.internet.namespace, address).unwrap();
    assert!(scrape.text.contains("github.com:22/ssh"), "a rule's id");
    let addresses =
        Family::BOTH.map(|family| [STRANGER.of(family).to_string(), world.clients[0].address(family).to_string()]);
    for foreign in addresses.as_flattened() {
        assert!(!scrape.text.contains(foreign), "{foreign} in {}", scrape.text);
    }
}

/// What scrapers send, and the status that each gets.
const NONSENSE: [(&[u8], &str); 6] = [
    (b"hello\r\n\r\n", "400"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"),
    (b"POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", "405"),
    (b"GET /../../etc/passwd HTTP/1.1\r\n\r\n", "404"),
    (b"GET / HTTP/1.1\r\n\r\n", "404"),
    (b"HEAD /metrics HTTP/1.1\r\n\r\n", "200"),
];

#[test]
fn slow_and_nonsensical_scrapers_harm_nothing() {
    for family in Family::BOTH {
        let (world, address) = start(Setup::default(), GATEWAY.of(family));
        let namespace = &world.internet.namespace;
        let connect = || {
            let stream = namespace.enter(|| TcpStream::connect(address).unwrap());
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            stream
        };
        for (bytes, status) in NONSENSE {
            let reply = ask(&mut connect(), bytes).unwrap();
            assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{bytes:?}: {reply}");
            assert!(status != "200" || reply.ends_with("\r\n\r\n"), "a body: {reply}");
        }
        let before = world.gateway.process.as_ref().unwrap().resident();
        // Without an end; decider has had enough of it before all is sent.
        let endless = [b"GET /metrics HTTP/1.1\r\nX: ".to_vec(), vec![b'x'; 32 << 20]].concat();
        let mut stream = connect();
        let _ = stream.write_all(&endless);
        drop(stream);
        // Some that say nothing, some that say half, some that ask and do not read: more than there are places.
        let mut idle: Vec<TcpStream> = (0..60).map(|_| connect()).collect();
        for (index, stream) in idle.iter_mut().enumerate() {
            // Those beyond the places may be closed already.
            let _ = stream.write_all([&b""[..], b"GET /metr", &request("GET")][index % 3]);
        }
        play(&world, family);
        // They have had their time by then.
        let scrape = within(Duration::from_secs(30), || Scrape::tcp(namespace, address).ok());
        assert_eq!(scrape.expect("a scrape").sum("decider_degraded"), 0);
        assert!(world.gateway.process.as_ref().unwrap().resident() < before + (8 << 20));
        drop(idle);
        world.works();
        world.gateway.adds_up();
    }
}

#[test]
fn a_place_that_another_program_has_is_an_error_that_says_what_to_do() {
    for family in Family::BOTH {
        let mut world = Setup::default().build();
        let (metrics, address) = tcp(GATEWAY_INSIDE.of(family));
        world.gateway.add_to_policy(&metrics);
        let taken = world.gateway.namespace.enter(|| TcpListener::bind(address).unwrap());
        let start = world.gateway.failed_start();
        assert_eq!(start.code, Some(4), "{}", start.log);
        for words in [&*address.to_string(), "for metrics", "`metrics.listen`"] {
            assert!(start.log.contains(words), "no {words:?} in: {}", start.log);
        }
        drop(taken);
        world.gateway.start();
    }
    let mut world = Setup::default().build();
    let file = world.gateway.path("metrics.sock");
    std::fs::write(&file, "mine").unwrap();
    world.gateway.add_to_policy(&format!("metrics: {{ listen: \"unix:{}\" }}", file.display()));
    let start = world.gateway.failed_start();
    assert_eq!(start.code, Some(4), "{}", start.log);
    assert!(start.log.contains("not a socket") && start.log.contains("`metrics.listen`"), "{}", start.log);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn an_address_may_come_later_and_another_place_counts_from_the_next_start_on() {
    for (family, late) in [(Family::V4, "192.0.2.77"), (Family::V6, "2001:db8:2::77")] {
        let (mut world, address) = start(Setup::default(), late.parse().unwrap());
        let length = if family == Family::V4 { 24 } else { 64 };
        world.gateway.namespace.sh(&format!("ip addr add {late}/{length} dev wan0"));
        assert_eq!(Scrape::tcp(&world.internet.namespace, address).unwrap().sum("decider_build_info"), 1);
        let policy = world.gateway.policy();
        world.gateway.write_policy(&policy.replace(":9533", ":9534"));
        let answer = world.gateway.reloads();
        assert!(answer["notes"].to_string().contains("metrics.listen counts from the next start on"), "{answer}");
        assert_eq!(Scrape::tcp(&world.internet.namespace, address).unwrap().sum("decider_policy_epoch"), 2);
        world.gateway.end_by(nix::sys::signal::Signal::SIGTERM);
        world.gateway.start();
        let other = SocketAddr::new(address.ip(), 9534);
        assert_eq!(Scrape::tcp(&world.internet.namespace, other).unwrap().sum("decider_policy_epoch"), 1);
    }
}
