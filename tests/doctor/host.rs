//! Policy, daemon, Envoy, queues, resolvers, files, clock.

use decider::doctor::{
    Answer, Cache, DaemonFacts, Facts, Found, Level, PolicyState, Purpose, ResolverFacts, Taken, Unseen, examine,
};

use crate::facts::{answer, thing, with_spec};
use crate::{Case, check, facts, finding};

const DAEMON: &[Case] = &[
    ("policy", |facts| facts.policy.state = PolicyState::Absent, Level::Warn, "there is no", "decider doctor FILE"),
    (
        "policy",
        |facts| facts.policy.state = PolicyState::Unusable(3),
        Level::Wrong,
        "3 problems",
        "decider check /etc/decider/policy.yaml",
    ),
    (
        "daemon",
        |facts| facts.daemon = DaemonFacts::None { leftovers: false },
        Level::Warn,
        "no decider runs",
        "decider run /etc/decider/policy.yaml",
    ),
    (
        "daemon",
        |facts| facts.daemon = DaemonFacts::None { leftovers: true },
        Level::Warn,
        "the door is closed",
        "decider down",
    ),
    ("daemon", |facts| facts.daemon = DaemonFacts::NotAllowed, Level::Warn, "only root", "sudo"),
    (
        "daemon",
        |facts| facts.daemon = DaemonFacts::Unwell("decider did not answer".to_owned()),
        Level::Wrong,
        "did not answer",
        "decider status",
    ),
    (
        "daemon",
        |facts| {
            let problems = vec![("envoy".to_owned(), "Envoy is silent".to_owned())];
            facts.daemon = DaemonFacts::Running(Answer { problems, ..answer() });
        },
        Level::Wrong,
        "Envoy is silent",
        "decider status",
    ),
];

#[test]
fn policy_and_daemon() {
    check(DAEMON);
    let problems = [("envoy", "one"), ("relay", "two")].map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec();
    let facts = Facts { daemon: DaemonFacts::Running(Answer { problems, ..answer() }), ..facts::well() };
    let said = examine(&facts).into_iter().filter(|finding| finding.name == "daemon" && finding.level == Level::Wrong);
    assert_eq!(said.count(), 2);
}

fn taken(number: u16) -> Taken {
    Taken { number, by: Some((4711, "suricata".to_owned())) }
}

const NUMBERS: &[Case] = &[
    (
        "queues.nfqueue",
        |facts| facts.queues.queues = Ok(vec![taken(5302), taken(5310)]),
        Level::Wrong,
        "5302 is taken by suricata (process 4711)",
        "--first-queue 5303",
    ),
    (
        "queues.nfqueue",
        |facts| facts.queues.queues = Ok(vec![Taken { number: 5300, by: None }, taken(5304)]),
        Level::Wrong,
        "another program",
        "--first-queue 5305",
    ),
    (
        "queues.nfqueue",
        |facts| facts.queues.queues = Err(Unseen("Permission denied".to_owned())),
        Level::Warn,
        "Permission denied",
        "",
    ),
    (
        "queues.nflog",
        |facts| facts.queues.groups = Ok(vec![taken(5300)]),
        Level::Wrong,
        "NFLOG group 5300",
        "--log-group 5301",
    ),
];

#[test]
fn numbers_that_others_have() {
    check(NUMBERS);
    let mut own = facts::well();
    own.queues.queues = Ok(vec![taken(5300)]);
    own.queues.own = Some(4711);
    assert_eq!(finding(&own, "queues.nfqueue").level, Level::Ok);
    own.queues.own = None;
    own.queues.queues = Ok(vec![taken(5299), taken(5304)]);
    assert_eq!(finding(&own, "queues.nfqueue").level, Level::Ok);
}

const ENVOY: &[Case] = &[
    (
        "envoy.program",
        |facts| {
            facts.envoy.as_mut().unwrap().program = Some(Err(("it is too old".to_owned(), Some("a newer".to_owned()))));
        },
        Level::Wrong,
        "too old",
        "a newer",
    ),
    (
        "envoy.listeners",
        |facts| {
            let by = Some((99, "nginx".to_owned()));
            facts.envoy.as_mut().unwrap().taken = vec![("[::1]:15100".parse().unwrap(), by)];
        },
        Level::Wrong,
        "nginx (process 99) listens on [::1]:15100",
        "envoy.first_port",
    ),
    (
        "envoy.listeners",
        |facts| facts.envoy.as_mut().unwrap().listeners = Some((1, 2)),
        Level::Wrong,
        "1 of 2",
        "decider status",
    ),
];

#[test]
fn envoy_and_its_listeners() {
    check(ENVOY);
    let mut external = facts::well();
    external.envoy.as_mut().unwrap().program = None;
    external.envoy.as_mut().unwrap().listeners = Some((2, 2));
    assert_eq!(finding(&external, "envoy.program").level, Level::Ok);
    assert_eq!(finding(&external, "envoy.listeners").level, Level::Ok);
}

fn resolver(facts: &mut Facts) -> &mut ResolverFacts {
    facts.resolver.as_mut().unwrap()
}

/// As on a host whose own processes are covered, and which asks systemd-resolved.
fn host(facts: &mut Facts) -> &mut ResolverFacts {
    with_spec(facts, |spec| spec.host = true);
    let resolver = resolver(facts);
    resolver.host = true;
    resolver.trusted.push("127.0.0.53".parse().unwrap());
    resolver.configured = vec!["127.0.0.53".parse().unwrap()];
    resolver.upstream = vec!["192.0.2.53".parse().unwrap()];
    resolver
}

const RESOLVERS: &[Case] = &[
    (
        "resolver.clients",
        |facts| resolver(facts).trusted = vec!["127.0.0.53".parse().unwrap(), "::1".parse().unwrap()],
        Level::Wrong,
        "loopback",
        "dns: { resolvers:",
    ),
    (
        "resolver.docker",
        |facts| resolver(facts).docker = vec!["192.0.2.1".parse().unwrap()],
        Level::Wrong,
        "192.0.2.1",
        "\"192.0.2.53\", \"2001:db8::53\"",
    ),
    (
        "resolver.host",
        |facts| resolver(facts).configured = vec!["192.0.2.1".parse().unwrap()],
        Level::Warn,
        "192.0.2.1",
        "192.0.2.1",
    ),
    (
        "resolver.host",
        |facts| host(facts).configured = vec!["2001:db8::1".parse().unwrap()],
        Level::Wrong,
        "2001:db8::1",
        "2001:db8::1",
    ),
    (
        "resolver.caches",
        |facts| host(facts).caches = vec![Cache::Resolved, Cache::Unbound, Cache::Dnsmasq, Cache::Nscd],
        Level::Warn,
        "systemd-resolved, unbound, dnsmasq, nscd",
        "resolvectl flush-caches; unbound-control flush_zone .; pkill -HUP dnsmasq; nscd --invalidate=hosts",
    ),
    (
        "resolver.caches",
        |facts| {
            let resolver = host(facts);
            resolver.caches = vec![Cache::Resolved];
            resolver.nss_resolve = true;
        },
        Level::Warn,
        "asked without DNS",
        "resolvectl flush-caches",
    ),
];

#[test]
fn resolvers_and_their_caches() {
    check(RESOLVERS);
    let mut facts = facts::well();
    host(&mut facts);
    for name in ["resolver.host", "resolver.upstream", "resolver.caches", "resolver.clients"] {
        assert_eq!(finding(&facts, name).level, Level::Ok, "{name}");
    }
    resolver(&mut facts).upstream.push("198.51.100.9".parse().unwrap());
    let found = finding(&facts, "resolver.upstream");
    assert_eq!(found.level, Level::Wrong);
    assert!(found.what.contains("198.51.100.9"), "{found:?}");
    // What a cache on the gateway says to clients is seen, whether it had to ask or not.
    let mut gateway = facts::well();
    resolver(&mut gateway).caches = vec![Cache::Unbound];
    assert_eq!(finding(&gateway, "resolver.caches").level, Level::Ok);
    // Nobody but the host itself can ask its stub.
    resolver(&mut gateway).configured = vec!["127.0.0.53".parse().unwrap()];
    assert_eq!(finding(&gateway, "resolver.host").level, Level::Ok);
}

const FILES: [(Purpose, &str); 4] = [
    (Purpose::Policy, "files.policy"),
    (Purpose::State, "files.state"),
    (Purpose::Runtime, "files.runtime"),
    (Purpose::Envoy, "files.envoy"),
];

#[test]
fn files_that_others_could_have_written() {
    for (index, (_, name)) in FILES.into_iter().enumerate() {
        let of = |found: Found| {
            let mut facts = facts::well();
            facts.files[index].found = found;
            finding(&facts, name)
        };
        let wrong = |found: Found, what: &str, fix: &str| {
            let said = of(found);
            assert_eq!(said.level, Level::Wrong, "{said:?}");
            assert!(said.what.contains(what) && said.fix.as_ref().unwrap().contains(fix), "{said:?}");
        };
        wrong(thing(1000, 0o755), "user 1000", "chown root: /somewhere");
        wrong(thing(0, 0o775), "mode 775", "chmod go-w /somewhere");
        wrong(thing(0, 0o757), "mode 757", "chmod go-w /somewhere");
        wrong(Found::Thing { owner: 0, mode: 0o755, right_kind: false }, "not what it should be", "mv /somewhere");
        assert_eq!(of(Found::Nothing).level, Level::Ok);
        assert_eq!(of(Found::Hidden(Unseen("Permission denied".to_owned()))).level, Level::Warn);
        // Envoy's user may make files of its own there, and take none away.
        let shared = of(thing(0, 0o1770)).level;
        assert_eq!(shared, if name == "files.envoy" { Level::Ok } else { Level::Wrong }, "{name}");
    }
}

const CLOCK: &[Case] = &[
    ("time", |facts| facts.time.now = "1970-01-01T00:02:00Z".parse().unwrap(), Level::Wrong, "1970", "timedatectl"),
    ("time", |facts| facts.time.now = "2026-11-20T00:00:00Z".parse().unwrap(), Level::Warn, "set back", "decider down"),
    ("time", |facts| facts.time.synchronized = Some(false), Level::Warn, "may jump", "timedatectl set-ntp true"),
];

#[test]
fn the_clock() {
    check(CLOCK);
    let mut facts = facts::well();
    facts.time.synchronized = None;
    facts.time.newest_saved = None;
    assert_eq!(finding(&facts, "time").level, Level::Ok);
}
