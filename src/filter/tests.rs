use super::*;
use crate::model::{DomainName, Reason, RuleId, Verdict, Who};
use crate::record::{Event, PathTaken};

fn event() -> Event {
    Event {
        ts: jiff::Timestamp::UNIX_EPOCH,
        verdict: Verdict::Deny,
        reason: Reason::NameNotAllowed,
        rule: None,
        domain: Some(DomainName::parse("a.b.example.com").unwrap()),
        client: [10, 77, 1, 7].into(),
        client_port: 40000,
        dst: [192, 0, 2, 10].into(),
        dst_port: 22,
        proto: "tcp".into(),
        mark: "0x00000100".into(),
        iface: Some("lan0".into()),
        path: PathTaken::Queue,
        waited_us: 42,
        who: Who {
            uid: Some(1000),
            pid: Some(77),
            exe: Some("/usr/bin/ssh".into()),
            cgroup: Some("/system.slice/backup.service".into()),
        },
        also: vec![DomainName::parse("b.example").unwrap()],
        hint: None,
        repeated: None,
    }
}

/// The twin: IPv6, allowed, nobody known.
fn twin() -> Event {
    Event {
        verdict: Verdict::Allow,
        reason: Reason::Allowed,
        rule: Some(RuleId::new("github.com:22/ssh")),
        domain: Some(DomainName::parse("xn--bcher-kva.example").unwrap()),
        client: "2001:db8:1::7".parse().unwrap(),
        dst: "2001:db8:2::9".parse().unwrap(),
        dst_port: 9005,
        proto: "udp".into(),
        iface: None,
        path: PathTaken::Fast,
        who: Who::default(),
        also: vec![],
        ..event()
    }
}

fn fits(filter: &str, event: &Event) -> bool {
    Filter::parse(filter).unwrap().matches(&Fields::from(event))
}

#[test]
fn each_field_tells_two_events_apart() {
    for (first, second) in [
        ("verdict:deny", "verdict:allow"),
        ("verdict:deny,audit", "verdict:audit,allow"),
        ("reason:name-not-allowed", "reason:allowed"),
        ("name:*.example.com", "name:b\u{fc}cher.example"),
        ("name:A.B.Example.com.", "name:*.b\u{fc}cher.example,xn--bcher*"),
        ("name:b.example", "-name:b.example"),
        ("domain:a.*.com", "domain:*bcher*"),
        ("rule:-", "rule:github.com:22/ssh"),
        ("-rule:*", "rule:*22/ssh"),
        ("client:10.77.1.7", "client:2001:db8:1::7"),
        ("client:10.0.0.0/8", "client:2001:db8::/32"),
        ("dst:192.0.2.0/24", "dst:2001:db8:2::9"),
        ("port:22", "port:9000-9010"),
        ("port:1-80,443", "port:9005"),
        ("proto:tcp", "proto:udp"),
        ("iface:lan0", "iface:-"),
        ("path:queue", "path:fast"),
        ("exe:ssh", "-exe:ssh"),
        ("exe:/usr/bin/ssh", "!exe:*"),
        ("uid:1000", "uid:-"),
        ("pid:77", "pid:-"),
        ("cgroup:backup.service", "cgroup:-"),
        ("cgroup:/system.slice/*", "!cgroup:backup*"),
        ("example.com", "BCHER"),
        ("10.77", "2001:db8"),
        ("not-allowed", "github.com:22"),
        ("1000", "2001:db8:2::9"),
        ("port:22 ssh", "9005"),
    ] {
        assert!(fits(first, &event()) && !fits(first, &twin()), "{first}");
        assert!(fits(second, &twin()) && !fits(second, &event()), "{second}");
    }
}

#[test]
fn all_words_have_to_fit_and_no_word_fits_all() {
    assert!(fits("", &event()) && fits("  ", &twin()));
    assert!(Filter::parse(" ").unwrap().is_empty());
    assert!(fits(" verdict:deny   port:22 ", &event()));
    assert!(!fits("verdict:deny port:23", &event()));
    assert!(!fits("name:*.b.example", &event()), "a wildcard means what is below");
    assert!(!fits("name:example.com", &event()), "a name means itself");
}

#[test]
fn errors_say_where_and_what_to_write() {
    for (filter, column, words) in [
        ("colour:red", 1, "there is no field \"colour\": use one of verdict, reason,"),
        ("port:22 verdict:denny", 17, "\"denny\" is no verdict: did you mean deny? There are allow, deny, audit"),
        ("reason:no-observations", 8, "did you mean no-observation?"),
        ("port:22,ssh", 9, "\"ssh\" is no port"),
        ("port:70000", 6, "is no port"),
        ("port:10-5", 6, "is empty: write 5-10"),
        ("-port:", 7, "port wants a value: destination port"),
        ("port:22,", 9, "port wants a value"),
        ("proto:ssh", 7, "for ssh write port:22"),
        ("proto:ip-256", 7, "is no transport protocol"),
        ("client:host", 8, "neither an address nor a network"),
        ("dst:10.0.0.0/33", 5, "neither an address nor a network"),
        ("uid:root", 5, "is no number"),
        ("name:192.0.2.1", 6, "this is an address, not a name"),
        ("path:slow", 6, "There are queue, fast"),
        ("\u{fc} -", 3, "in front of a word"),
        ("a !", 3, "in front of a word"),
    ] {
        let error = Filter::parse(filter).unwrap_err();
        assert_eq!(error.column, column, "{filter}: {error}");
        assert!(error.message.contains(words), "{filter}: {error}");
    }
}

#[test]
fn odd_texts_are_read_or_refused_without_a_panic() {
    for text in [
        ":",
        "::",
        ":x",
        "-:",
        "!!a",
        "--a",
        "*",
        "name:*",
        "fe80::1",
        "dead:beef::1",
        "a.b:22/ssh",
        "\u{0}",
        "\u{fc}:x",
    ] {
        let _ = Filter::parse(text);
    }
    assert!(Filter::parse("dead:beef::1").is_ok(), "an address stands for itself");
}
