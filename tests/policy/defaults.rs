//! What a key means when it is not written, and the values that it takes.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use decider::model::Scope;
use decider::policy::{
    Action, Code, Dns, EnvoySpec, EventFile, InterfacePattern, Listen, Mode, OnAmbiguous, Queries, Refusal, User,
};

use crate::{FULL, accepted, codes, refused, with, with_rules};

#[test]
fn what_is_not_written_has_the_documented_default() {
    let spec = accepted(&with_rules(&["{ domain: github.com, proto: ssh }"]));
    assert_eq!((spec.mode, spec.refusal), (Mode::Enforce, Refusal::Reject));
    assert!(spec.gateway.networks.is_empty());
    assert_eq!(
        spec.dns,
        Dns {
            resolvers: vec![[192, 0, 2, 53].into()],
            queries: Queries::Any,
            min_ttl: Duration::from_secs(60),
            grace: Duration::from_secs(30),
            max_ttl: Duration::from_secs(86_400),
            capacity: 1_000_000,
            scope: Scope::Shared,
            on_ambiguous: OnAmbiguous::Latest,
            allow_private: false,
        }
    );
    assert_eq!(
        spec.envoy,
        EnvoySpec {
            manage: false,
            binary: None,
            user: None,
            config_dir: PathBuf::from("/run/decider/envoy"),
            listen: Ipv4Addr::LOCALHOST,
            first_port: 15100,
        }
    );
    assert_eq!(spec.marks.bits(), 0xff00_3f00);
    assert_eq!((spec.metrics, spec.events), (None, None));
    assert!(spec.fast_path);
    assert_eq!((spec.rules[0].action, &*spec.rules[0].ports), (Action::Allow, &[22][..]));
}

#[test]
fn what_is_written_counts() {
    let spec = accepted(FULL);
    assert_eq!((spec.mode, spec.refusal), (Mode::Audit, Refusal::Drop));
    let interfaces: Vec<&str> = spec.gateway.interfaces.iter().map(InterfacePattern::as_str).collect();
    assert_eq!(interfaces, ["docker0", "br-*"]);
    assert_eq!(
        (spec.dns.min_ttl, spec.dns.grace, spec.dns.max_ttl),
        (Duration::from_secs(90), Duration::from_secs(15), Duration::from_secs(43_200))
    );
    assert_eq!((spec.dns.capacity, spec.dns.scope), (5000, Scope::Client));
    assert_eq!((spec.dns.on_ambiguous, spec.dns.allow_private), (OnAmbiguous::Deny, true));
    assert!(spec.envoy.manage);
    assert_eq!(spec.envoy.binary.as_deref(), Some(Path::new("/opt/envoy/bin/envoy")));
    assert_eq!(spec.envoy.user, Some(User::Name("decider-envoy".to_owned())));
    assert_eq!(spec.envoy.config_dir, Path::new("/run/elsewhere"));
    assert_eq!((spec.envoy.listen, spec.envoy.first_port), (Ipv4Addr::new(127, 0, 0, 9), 20000));
    assert_eq!(spec.marks.bits(), 0x0ff0_0ff0);
    assert_eq!(spec.metrics, Some(Listen::Tcp("[::1]:9000".parse().unwrap())));
    let (path, size, keep) = (PathBuf::from("/var/log/events.jsonl"), 1 << 20, 2);
    assert_eq!(spec.events, Some(EventFile { path, size, keep }));
    assert!(!spec.fast_path);
    assert_eq!((spec.rules[0].id.as_str(), spec.rules[0].action), ("orders", Action::Deny));
    assert_eq!(spec.rules[0].ports, [5432]);
}

/// Key, values at the ends of what it takes, values just outside with their code.
pub type Bounds = (&'static str, &'static [&'static str], &'static [(&'static str, Code)]);

pub const BOUNDS: &[Bounds] = &[
    ("mode", &["enforce"], &[("Enforce", Code::UnknownWord), ("off", Code::UnknownWord)]),
    ("deny", &["reject"], &[("icmp", Code::UnknownWord), ("[drop]", Code::WrongShape)]),
    ("min_ttl", &["0s", "500ms", "12h", "1m30s"], &[("12h1ms", Code::OutOfRange), ("60", Code::BadDuration)]),
    (
        "clients",
        &["10.77.1.8", "[10.77.1.7]", "[0.0.0.0/0]", "10.77.1.0/24"],
        &[
            ("10.77.1.7/24", Code::BadNetwork),
            ("[]", Code::EmptyList),
            ("host", Code::BadNetwork),
            ("[10.77.1.7, 10.77.1.7]", Code::DuplicateEntry),
        ],
    ),
    (
        "expires",
        &["2027-01-31T18:00:00Z", "\"2027-01-31T18:00:00.5+05:30\"", "1990-01-01T00:00:00Z"],
        &[("2027-01-31", Code::BadTime), ("10m", Code::BadTime), ("[2027-01-31T18:00:00Z]", Code::WrongShape)],
    ),
    ("grace", &["0s", "1h"], &[("1h1ms", Code::OutOfRange), ("-1s", Code::BadDuration)]),
    ("max_ttl", &["90s", "7d"], &[("7d1ms", Code::OutOfRange), ("1w", Code::BadDuration)]),
    (
        "capacity",
        &["1000", "10000000"],
        &[
            ("999", Code::OutOfRange),
            ("10000001", Code::OutOfRange),
            ("99999999999999999999", Code::OutOfRange),
            ("1e6", Code::BadNumber),
            ("-1", Code::BadNumber),
        ],
    ),
    ("scope", &["shared"], &[("own", Code::UnknownWord)]),
    ("on_ambiguous", &["latest"], &[("first", Code::UnknownWord)]),
    ("allow_private", &["false"], &[("yes", Code::BadBoolean), ("\"true\"", Code::BadBoolean)]),
    ("fast_path", &["true"], &[("on", Code::BadBoolean), ("\"true\"", Code::BadBoolean)]),
    ("binary", &["/e"], &[("envoy", Code::BadPath), ("/", Code::BadPath), ("/usr/../envoy", Code::BadPath)]),
    ("host", &["true"], &[("yes", Code::BadBoolean), ("[true]", Code::WrongShape)]),
    (
        "user",
        &["0", "4294967294", "_envoy", "a-name-of-no-more-than-32-letter"],
        &[
            ("4294967295", Code::BadUser),
            ("-1", Code::BadUser),
            ("Envoy", Code::BadUser),
            ("\"\"", Code::BadUser),
            ("\"a b\"", Code::BadUser),
            ("1st", Code::BadUser),
            ("a-name-that-is-one-letter-too-long", Code::BadUser),
        ],
    ),
    ("config_dir", &["/run"], &[("run", Code::BadPath), ("\"/run/a\\tb\"", Code::BadPath)]),
    (
        "listen",
        &["127.0.0.1", "127.255.255.254"],
        &[("0.0.0.0", Code::BadAddress), ("128.0.0.1", Code::BadAddress), ("\"::1\"", Code::BadAddress)],
    ),
    (
        "first_port",
        &["1025", "65535"],
        &[("1024", Code::OutOfRange), ("65536", Code::OutOfRange), ("0x5000", Code::BadNumber)],
    ),
    (
        "mask",
        &["0xf", "\"0xffffffff\""],
        &[("0x7", Code::BadMask), ("0x1ffffffff", Code::BadMask), ("15", Code::BadMask)],
    ),
    (
        "metrics",
        &[
            "{ listen: 0.0.0.0:1024 }",
            "{ listen: 192.0.2.1:65535 }",
            "{ listen: \"[2001:db8::1]:9533\" }",
            "{ listen: \"unix:/run/m.sock\" }",
        ],
        &[
            ("{}", Code::MissingKey),
            ("{ listen: \"\" }", Code::BadAddress),
            ("{ listen: 127.0.0.1 }", Code::BadAddress),
            ("{ listen: \"::1\" }", Code::BadAddress),
            ("{ listen: \"localhost:9533\" }", Code::BadAddress),
            ("{ listen: \"[fe80::1]:9533\" }", Code::BadAddress),
            ("{ listen: \"[ff02::1]:9533\" }", Code::BadAddress),
            ("{ listen: \"[::ffff:127.0.0.1]:9533\" }", Code::BadAddress),
            ("{ listen: 255.255.255.255:9533 }", Code::BadAddress),
            ("{ listen: 127.0.0.1:1023 }", Code::OutOfRange),
            ("{ listen: \"[::1]:0\" }", Code::OutOfRange),
            ("{ listen: 127.0.0.1:65536 }", Code::BadAddress),
            ("{ listen: \"unix:m.sock\" }", Code::BadPath),
            ("{ listen: [127.0.0.1:9533] }", Code::WrongShape),
        ],
    ),
    (
        "events",
        &[
            "{ file: /e }",
            "{ file: /e, rotate: { size: 64KiB, keep: 1 } }",
            "{ file: /e, rotate: { size: 1024GiB, keep: 100 } }",
        ],
        &[
            ("{}", Code::MissingKey),
            ("{ file: e }", Code::BadPath),
            ("{ file: /e/ }", Code::BadPath),
            ("{ file: /e, rotate: { size: 63KiB } }", Code::OutOfRange),
            ("{ file: /e, rotate: { size: 1025GiB } }", Code::OutOfRange),
            ("{ file: /e, rotate: { size: 1000000 } }", Code::BadSize),
            ("{ file: /e, rotate: { keep: 0 } }", Code::OutOfRange),
            ("{ file: /e, rotate: { keep: 101 } }", Code::OutOfRange),
        ],
    ),
    (
        "port",
        &["1", "52", "54", "65535", "[1, 65535]"],
        &[
            ("0", Code::OutOfRange),
            ("65536", Code::OutOfRange),
            ("53", Code::DnsPort),
            ("[5432, 53]", Code::DnsPort),
            ("[]", Code::EmptyList),
            ("[5432, 5432]", Code::DuplicateEntry),
            ("\"22\"", Code::BadNumber),
        ],
    ),
    ("action", &["allow"], &[("reject", Code::UnknownWord), ("drop", Code::UnknownWord)]),
    ("proto", &["ssh"], &[("sctp", Code::UnknownWord), ("TCP", Code::UnknownWord)]),
    ("id", &["a", "a/b:c,d*e@f[g]"], &[("\"\"", Code::BadId), ("two words", Code::BadId), ("\u{e9}", Code::BadId)]),
    (
        "interfaces",
        &["[a]", "[abcdefghijklmno]", "[\"abcdefghijklmno*\"]"],
        &[
            ("[abcdefghijklmnop]", Code::BadInterface),
            ("[lo]", Code::BadInterface),
            ("[\"*\"]", Code::BadInterface),
            ("[\"l*\"]", Code::BadInterface),
            ("[eth0@if7, \"br\\\"\"]", Code::BadInterface),
            ("[]", Code::EmptyList),
            ("[docker0, \"docker*\"]", Code::DuplicateEntry),
            ("docker0", Code::WrongShape),
        ],
    ),
    (
        "networks",
        &["[0.0.0.0/0]", "[\"::/0\", 10.0.0.0/8]", "[10.0.0.1/32]"],
        &[
            ("[10.0.0.1/24]", Code::BadNetwork),
            ("[\"2001:db8::1/64\"]", Code::BadNetwork),
            ("[\"::ffff:10.0.0.0/104\"]", Code::BadNetwork),
            ("[10.0.0.1]", Code::BadNetwork),
            ("[10.0.0.0/33]", Code::BadNetwork),
            ("[10.0.0.0/8, 10.1.0.0/16]", Code::DuplicateEntry),
            ("[\"2001:db8::/32\", \"2001:db8:1::/48\"]", Code::DuplicateEntry),
        ],
    ),
    (
        "resolvers",
        &["[192.0.2.53]", "[\"fd00::53\"]"],
        &[
            ("[0.0.0.0]", Code::BadAddress),
            ("[\"::\"]", Code::BadAddress),
            ("[224.0.0.251]", Code::BadAddress),
            ("[\"ff02::fb\"]", Code::BadAddress),
            ("[\"fe80::1\"]", Code::BadAddress),
            ("[\"::ffff:192.0.2.53\"]", Code::BadAddress),
            ("[255.255.255.255]", Code::BadAddress),
            ("[\"192.0.2.53:53\"]", Code::BadAddress),
            ("[dns.example.com]", Code::BadAddress),
            ("[192.0.2.53, 192.0.2.53]", Code::DuplicateEntry),
            ("[\"2001:db8::53\", \"2001:DB8:0::53\"]", Code::DuplicateEntry),
            ("[]", Code::EmptyList),
        ],
    ),
    ("upstream", &["resolve"], &[("direct", Code::UnknownWord), ("[original]", Code::WrongShape)]),
    ("version", &[], &[("2", Code::BadVersion), ("1.0", Code::BadVersion), ("\"1\"", Code::BadVersion)]),
];

#[test]
fn every_value_is_taken_up_to_its_bounds_and_no_further() {
    for (key, good, bad) in BOUNDS {
        for value in *good {
            accepted(&with(key, value));
        }
        for (value, code) in *bad {
            let text = with(key, value);
            let problems = refused(&text);
            assert!(codes(&problems).contains(code), "{key}: {value} gives {problems:#?}");
            for problem in problems {
                let line = text.lines().nth(problem.place.line - 1).unwrap();
                assert!(line.contains(&format!("{key}: ")), "{key}: {value} is told at {line:?}");
            }
        }
    }
}

/// Keys whose values the other tests are about: names, what later versions take, and the sections themselves.
const ELSEWHERE: &[&str] = &[
    "domain",
    "host",
    "queries",
    "manage",
    "intercept",
    "gateway",
    "dns",
    "envoy",
    "marks",
    "rules",
    "file",
    "rotate",
    "size",
    "keep",
];

#[test]
fn every_key_has_its_bounds_here() {
    for section in decider::policy::SECTIONS {
        for key in section.keys {
            let here = BOUNDS.iter().any(|(bounded, ..)| bounded == key);
            assert!(here || ELSEWHERE.contains(key), "{}: {key}", section.path);
        }
    }
}

#[test]
fn lengths_are_bounded() {
    for (key, most, code) in [("binary", 4095, Code::BadPath), ("config_dir", 96, Code::BadPath)] {
        accepted(&with(key, &format!("/{}", "a".repeat(most - 1))));
        assert_eq!(codes(&refused(&with(key, &format!("/{}", "a".repeat(most))))), [code], "{key}");
    }
    accepted(&with("id", &"i".repeat(128)));
    assert_eq!(codes(&refused(&with("id", &"i".repeat(129)))), [Code::BadId]);
}

#[test]
fn ttls_are_compared_with_the_defaults_too() {
    let text = with_rules(&["{ domain: github.com, proto: ssh }"]);
    for (dns, line) in [("min_ttl: 25h", 3), ("max_ttl: 59s", 3)] {
        let problems = refused(&text.replace("resolvers:", &format!("{dns}, resolvers:")));
        assert_eq!(codes(&problems), [Code::OutOfRange], "{dns}");
        assert_eq!(problems[0].place.line, line);
    }
    accepted(&text.replace("resolvers:", "min_ttl: 24h, resolvers:"));
    accepted(&text.replace("resolvers:", "max_ttl: 60s, resolvers:"));
}

#[test]
fn sections_may_be_missing_but_not_empty() {
    for section in ["envoy", "marks"] {
        let text = format!("{}{section}:\n", with_rules(&["{ domain: github.com, proto: ssh }"]));
        assert_eq!(codes(&refused(&text)), [Code::MissingValue], "{section}");
        accepted(&text.replace(&format!("{section}:"), &format!("{section}: {{}}")));
    }
}
