//! What is printed of a session.

use decider::model::{DomainName, Reason, RuleId};
use decider::record::Event;

use crate::events::{CLIENT, TWIN, allowed, by, named, refused, unnamed};
use crate::stage::{Stage, rules, text};

fn session() -> Vec<Event> {
    let database =
        |letter: &str, client: &str, dst: &str| named(9, client, &format!("{letter}.db.example.com"), dst, 5432);
    let denied = named(11, CLIENT, "old.example.org", "198.51.100.9", 5432);
    vec![
        by("/usr/bin/ssh", named(0, CLIENT, "github.com", "192.0.2.10", 22)),
        by("/usr/bin/ssh", named(5, TWIN, "github.com", "2001:db8::10", 22)),
        Event {
            repeated: Some(40),
            ..refused(Reason::NameNotAllowed, named(6, CLIENT, "github.com", "192.0.2.10", 443))
        },
        allowed("one.example:6379/tcp", named(7, CLIENT, "one.example", "198.51.100.1", 6379)),
        named(8, TWIN, "one.example", "2001:db8:1::1", 5432),
        database("a", CLIENT, "198.51.100.11"),
        database("b", TWIN, "2001:db8:1::12"),
        database("c", CLIENT, "198.51.100.13"),
        named(10, CLIENT, "c.db.example.com", "198.51.100.13", 22),
        named(10, CLIENT, "first.example", "203.0.113.1", 443),
        named(10, CLIENT, "second.example", "203.0.113.1", 443),
        refused(Reason::ObservationExpired, named(1441, CLIENT, "late.example", "203.0.113.2", 8443)),
        unnamed(10, CLIENT, "203.0.113.66", 22),
        refused(Reason::NoObservation, unnamed(10, TWIN, "2001:db8:66::66", 22)),
        Event { rule: Some(RuleId::new("no-old")), ..refused(Reason::DeniedByRule, denied) },
        refused(Reason::PrivateAddress, named(11, CLIENT, "intern.example", "10.1.1.1", 5432)),
        Event { reason: Reason::ProtoNotAllowed, proto: "udp".to_owned(), ..unnamed(11, CLIENT, "203.0.113.3", 123) },
        Event { reason: Reason::ResolverNotTrusted, proto: "udp".to_owned(), ..unnamed(11, TWIN, "2001:db8:8::8", 53) },
        refused(Reason::Malformed, unnamed(11, CLIENT, "203.0.113.4", 0)),
    ]
}

const PROPOSED: &str = r#"# Proposed by `decider learn` from 58 decisions, 2026-01-01 00:00 to 2026-01-02 00:01 UTC.
# Read it before you use it.
version: 1
intercept:
  gateway: { interfaces: ["lan0"] }
dns:
  # Nobody's address: put those in its place that your clients ask.
  resolvers: [192.0.2.53]
envoy: { manage: true }
rules:
  # 3 names: a.db.example.com, b.db.example.com, c.db.example.com
  # 3 times audited from 10.77.1.2, fd77:1::2, 2026-01-01 00:09 UTC
  - { domain: "*.db.example.com", proto: tcp, port: 5432 }
  # 1 time audited from 10.77.1.2, 2026-01-01 00:10 UTC
  - { domain: c.db.example.com, proto: ssh }
  # 2 times audited from 10.77.1.2, fd77:1::2 by ssh, 2026-01-01 00:00 to 00:05 UTC
  - { domain: github.com, proto: ssh }
  # 40 times refused from 10.77.1.2, 2026-01-01 00:06 UTC
  - { domain: github.com, proto: tcp, port: 443 }
  # 1 time audited from 10.77.1.2, 2026-01-01 00:10 UTC
  # AMBIGUOUS: each address of it was also one of second.example; that may have been meant
  - { domain: first.example, proto: tcp, port: 443 }
  # 1 time refused from 10.77.1.2, 2026-01-02 00:01 UTC
  # 1 of them came after the lookup had expired: refused until the client looks the name up again
  - { domain: late.example, proto: tcp, port: 8443 }
  # 2 times (1 allowed, 1 audited) from 10.77.1.2, fd77:1::2, 2026-01-01 00:07 to 00:08 UTC
  # times a port: 5432=1, 6379=1
  - { domain: one.example, proto: tcp, port: [5432, 6379] }
  # 1 time audited from 10.77.1.2, 2026-01-01 00:10 UTC
  # AMBIGUOUS: each address of it was also one of first.example; that may have been meant
  - { domain: second.example, proto: tcp, port: 443 }

# WARNING, left out: No name is known for these addresses, and a rule means a name: nobody was
#   seen to look them up. Let the client connect by name and ask one of dns.resolvers, or leave
#   them refused.
#   203.0.113.66 port 22: 1 time audited from 10.77.1.2, 2026-01-01 00:10 UTC
#   2001:db8:66::66 port 22: 1 time refused from fd77:1::2, 2026-01-01 00:10 UTC
#
# WARNING, left out: These names are at private addresses, which are not believed unless the
#   policy says `allow_private: true` in dns.
#   intern.example port 5432: 1 time refused from 10.77.1.2, 2026-01-01 00:11 UTC
#
# Left out: A rule with `action: deny` names these, and deny beats allow.
#   old.example.org port 5432 (rule no-old): 1 time refused from 10.77.1.2, 2026-01-01 00:11 UTC
#
# WARNING, left out: DNS to servers that dns.resolvers does not name. Let the client ask one of
#   those, or add the server there if you trust it.
#   2001:db8:8::8 port 53: 1 time audited from fd77:1::2, 2026-01-01 00:11 UTC
#
# Left out: Rules are for TCP only: this stays refused.
#   203.0.113.3 port 123 udp: 1 time audited from 10.77.1.2, 2026-01-01 00:11 UTC
"#;

#[test]
fn a_session_becomes_a_policy_with_its_evidence() {
    let stage = Stage::with(&session());
    assert_eq!(stage.proposes(&[]), PROPOSED);
    let output = stage.learn(&[]);
    assert_eq!(text(&output.stderr), "note: 2 destinations without a name are no rule: see the comments at the end\n");
}

#[test]
fn all_but_the_rules_is_taken_from_a_policy() {
    let stage = Stage::with(&session());
    let settings = "version: 1 # mine\nintercept: { host: true }\nrules:\n  - { domain: old.example, proto: ssh } # gone\n\
        dns: { resolvers: [\"::1\"] }\nupstream: resolve\nenvoy: { user: nobody }\n# end\n";
    stage.write("policy.yaml", settings);
    let proposed = stage.proposes(&["--policy", "policy.yaml"]);
    let (before, after) = settings.split_once("rules:\n").unwrap();
    let (_, after) = after.split_once('\n').unwrap();
    assert!(
        proposed.contains(&format!("use it.\n{before}rules:\n  # 3 names")) && proposed.contains(after),
        "{proposed}"
    );
    assert!(!proposed.contains("old.example,"), "{proposed}");
    // What the policy says of all rules cannot be for a wildcard.
    let wild = r#"{ domain: "*.db.example.com", proto: tcp, port: 5432, upstream: original }"#;
    assert_eq!(rules(&proposed)[0], wild);
}

#[test]
fn a_filter_and_a_time_narrow_what_is_learned() {
    let stage = Stage::with(&session());
    for (arguments, found) in [
        (
            &["-verdict:audit"][..],
            &[
                "{ domain: github.com, proto: tcp, port: 443 }",
                "{ domain: late.example, proto: tcp, port: 8443 }",
                "{ domain: one.example, proto: tcp, port: 6379 }",
            ][..],
        ),
        (&["client:fd77::/16", "port:22"], &["{ domain: github.com, proto: ssh }"]),
        (&["--since", "2026-01-02T00:00:00Z"], &["{ domain: late.example, proto: tcp, port: 8443 }"]),
    ] {
        assert_eq!(rules(&stage.proposes(arguments)), found, "{arguments:?}");
    }
    let output = stage.learn(&["verdict:denny"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("did you mean deny?"), "{}", text(&output.stderr));
}

#[test]
fn wildcards_need_several_siblings_and_one_owner() {
    let wild = |names: &[&str], siblings: &str| {
        let events: Vec<Event> =
            (0..).zip(names).map(|(minute, name)| named(minute, CLIENT, name, "192.0.2.1", 443)).collect();
        let proposed = Stage::with(&events).proposes(&["--wildcards", siblings]);
        let domains = rules(&proposed).into_iter().map(|rule| rule.split(['"', ',']).nth(1).unwrap().to_owned());
        let wild: Vec<String> = domains.filter(|domain| domain.starts_with('*')).collect();
        (wild.join(" "), rules(&proposed).len())
    };
    let three = ["a.x.example.com", "b.x.example.com", "c.x.example.com"];
    assert_eq!(wild(&three, "3"), ("*.x.example.com".to_owned(), 1));
    assert_eq!(wild(&three, "4"), (String::new(), 3));
    assert_eq!(wild(&three, "0"), (String::new(), 3));
    // Of a wildcard all below is part, the name itself not.
    let deep = [&three[..], &["d.e.x.example.com", "x.example.com"]].concat();
    assert_eq!(wild(&deep, "3"), ("*.x.example.com".to_owned(), 2));
    // One within another is none of its own.
    let within = [&three[..], &["1.example.com", "2.example.com", "3.example.com"]].concat();
    assert_eq!(wild(&within, "3"), ("*.example.com".to_owned(), 1));
    // Also where it stands in front by its name.
    let within = ["1.a.example.com", "2.a.example.com", "3.a.example.com", "b.example.com", "c.example.com"];
    assert_eq!(wild(&[&within[..], &["d.example.com"]].concat(), "3"), ("*.example.com".to_owned(), 1));
    // Nobody's alone: public suffixes, and what is above one.
    for base in ["com", "co.uk", "github.io", "amazonaws.com", "eu-west-1.amazonaws.com", "compute.amazonaws.com", "ck"]
    {
        let names = ["a", "b", "c", "d"].map(|label| format!("{label}.{base}"));
        assert_eq!(wild(&names.each_ref().map(String::as_str), "3"), (String::new(), 4), "{base}");
    }
}

#[test]
fn no_wildcard_means_what_a_rule_denies() {
    let mut events: Vec<Event> =
        ["a", "b", "c"].map(|label| named(0, CLIENT, &format!("{label}.x.example.com"), "192.0.2.1", 443)).to_vec();
    let policy = |rule: &str| {
        format!(
            "version: 1\nintercept: {{ gateway: {{ interfaces: [lan0] }} }}\n\
        dns: {{ resolvers: [192.0.2.53] }}\nrules:\n  - {{ {rule}, proto: tcp, port: 443, action: deny }}\n"
        )
    };
    for (rule, count) in [
        ("domain: d.x.example.com", 3),
        ("domain: \"*.d.x.example.com\"", 3),
        ("domain: a.y.example.com", 1),
        ("domain: a.x.example.com", 2),
    ] {
        let stage = Stage::with(&events);
        stage.write("policy.yaml", policy(rule));
        for option in ["--policy", "--merge"] {
            let answer = stage.json(&[option, "policy.yaml"]);
            assert_eq!(answer["rules"].as_array().unwrap().len(), count, "{option} {rule}: {answer}");
        }
    }
    events.push(refused(Reason::DeniedByRule, named(1, CLIENT, "d.x.example.com", "192.0.2.4", 443)));
    assert_eq!(rules(&Stage::with(&events).proposes(&[])).len(), 3);
}

#[test]
fn a_name_that_was_alone_once_is_not_ambiguous() {
    let shared = [named(0, CLIENT, "a.example", "203.0.113.1", 443), named(0, CLIENT, "b.example", "203.0.113.1", 443)];
    let alone = named(1, TWIN, "a.example", "2001:db8::1", 443);
    let with = |more: &[Event]| {
        let answer = Stage::with(&[&shared[..], more].concat()).json(&[]);
        let rules = answer["rules"].as_array().unwrap().clone();
        rules.iter().map(|rule| rule["ambiguous_with"].as_array().unwrap().len()).collect::<Vec<_>>()
    };
    assert_eq!(with(&[]), [1, 1]);
    assert_eq!(with(&[alone]), [0, 1]);
    // A name that was only one of several to choose from counts, and so do more than are told apart.
    let also = Event {
        also: vec![DomainName::parse("b.example").unwrap()],
        ..allowed("a", named(0, CLIENT, "a.example", "203.0.113.1", 443))
    };
    assert_eq!(Stage::with(&[also]).json(&[])["rules"][0]["ambiguous_with"], serde_json::json!(["b.example"]));
    let many: Vec<Event> =
        (0..9).map(|number| named(0, CLIENT, &format!("n{number}.org"), "203.0.113.1", 443)).collect();
    let answer = Stage::with(&many).json(&[]);
    assert!(
        answer["rules"].as_array().unwrap().iter().all(|rule| rule["ambiguous_with"] != serde_json::json!([])),
        "{answer}"
    );
}

#[test]
fn json_has_these_fields() {
    let stage = Stage::with(&session());
    let answer = stage.json(&[]);
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&answer), "beyond decisions diff ignored known left_out not_kept policy rules");
    let evidence = "allowed audited clients expired first last more_clients programs refused times";
    let sorted = |words: &str| {
        let mut words: Vec<&str> = words.split(' ').collect();
        words.sort_unstable();
        words.join(" ")
    };
    let rule = "ambiguous_with domain id names ports proto times_by_port upstream_original";
    assert_eq!(keys(&answer["rules"][0]), sorted(&format!("{evidence} {rule}")));
    assert_eq!(keys(&answer["left_out"][0]), sorted(&format!("{evidence} why domain dst port proto rule")));
    assert_eq!((&answer["policy"], &answer["decisions"]), (&PROPOSED.into(), &58.into()));
    assert_eq!((&answer["ignored"]["malformed"], &answer["rules"][1]["times"]), (&1.into(), &1.into()));
}

#[test]
fn nothing_to_learn_from_is_said_by_the_exit_code() {
    for (events, words) in
        [(vec![], "nothing was seen\n"), (vec![unnamed(0, CLIENT, "203.0.113.1", 22)], "whose name is known")]
    {
        let stage = Stage::with(&events);
        let output = stage.learn(&[]);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(words), "{}", text(&output.stderr));
        stage.write("empty.yaml", &output.stdout);
        assert!(stage.run(&["check", "empty.yaml"]).status.success());
    }
    let output = Stage::new().run(&["learn", "--socket", "nobody.sock"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert_eq!(Stage::new().learn(&[]).status.code(), Some(4));
}

#[test]
fn no_rule_is_proposed_for_the_port_of_dns_and_no_interface_of_the_host_alone() {
    for (client, resolver) in [(CLIENT, "192.0.2.53"), (TWIN, "2001:db8::53")] {
        let github = named(0, client, "github.com", "192.0.2.10", 22);
        let at_home = Event { iface: Some("lo".to_owned()), ..github.clone() };
        let proposed = Stage::with(&[at_home, github, named(1, client, "dns.example", resolver, 53)]).proposes(&[]);
        assert_eq!(rules(&proposed), ["{ domain: github.com, proto: ssh }"]);
        assert!(proposed.contains(&format!("#   {resolver} port 53: 1 time audited")), "{proposed}");
        assert!(proposed.contains("gateway: { interfaces: [\"lan0\"] }"), "{proposed}");
    }
}

#[test]
fn decisions_that_a_slow_reader_missed_are_told() {
    let stage = Stage::with(&session());
    assert!(!text(&stage.learn(&[]).stderr).contains("missing"));
    stage.write("events.jsonl", format!("{{\"gap\":3}}\n{}{{\"gap\":4}}\n", stage.read("events.jsonl")));
    let said = text(&stage.learn(&[]).stderr);
    assert!(said.contains("note: 7 decisions are missing among these"), "{said}");
}
