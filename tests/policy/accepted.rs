//! What a policy may say.

use std::net::IpAddr;

use decider::model::{DomainName, Epoch, Proto};
use decider::policy::{Action, NameMatch, Policy, SlotTable, load_bytes};

use crate::{FULL, accepted, codes, policies, refused, with, with_rules};

#[test]
fn every_example_passes_without_a_warning() {
    let examples = policies("policy/examples");
    assert!(examples.len() >= 6, "only {} examples", examples.len());
    for (name, bytes) in examples {
        let loaded = load_bytes(&bytes).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
        assert_eq!(loaded.warnings, [], "{name}");
        assert!(!loaded.spec.rules.is_empty(), "{name} has no rules");
        let resolvers = &loaded.spec.dns.resolvers;
        assert!(
            resolvers.iter().any(IpAddr::is_ipv4) && resolvers.iter().any(IpAddr::is_ipv6),
            "{name}: a resolver of each family, please"
        );
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("# "), "{name} does not begin with what it is for");
        let comments = text.lines().filter(|line| line.trim_start().starts_with('#')).count();
        assert!(comments >= 4, "{name} explains little");
    }
}

#[test]
fn both_families_stand_side_by_side() {
    let spec = accepted(FULL);
    assert_eq!(spec.dns.resolvers, ["10.77.2.53", "2001:db8:2::53"].map(|text| text.parse::<IpAddr>().unwrap()));
    let networks: Vec<String> = spec.gateway.networks.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["10.77.1.0/24", "2001:db8:1::/64"]);
    for (key, value) in [
        ("resolvers", "[\"2001:db8:2::53\"]"),
        ("resolvers", "[10.77.2.53]"),
        ("networks", "[10.77.1.7/32, \"2001:db8:1::7/128\"]"),
        ("networks", "[0.0.0.0/0, \"::/0\"]"),
    ] {
        accepted(&with(key, value));
    }
}

#[test]
fn a_rule_without_an_id_is_called_by_name_port_and_proto() {
    let ids = |rules: &[&str]| -> Vec<String> {
        accepted(&with_rules(rules)).rules.iter().map(|rule| rule.id.to_string()).collect()
    };
    assert_eq!(
        ids(&[
            "{ domain: GitHub.com., proto: ssh }",
            "{ domain: gitlab.com, proto: ssh, port: 2222 }",
            "{ domain: db.example.com, proto: tcp, port: [6432, 5432] }",
            "{ domain: one.example.com, proto: tcp, port: [80] }",
            "{ domain: \"b\u{fc}cher.example\", proto: ssh }",
            "{ id: mine, domain: other.example.com, proto: ssh }",
        ]),
        [
            "github.com:22/ssh",
            "gitlab.com:2222/ssh",
            "db.example.com:5432,6432/tcp",
            "one.example.com:80/tcp",
            "xn--bcher-kva.example:22/ssh",
            "mine",
        ]
    );
}

#[test]
fn an_id_names_one_rule_whether_given_or_made() {
    let problems = refused(&with_rules(&[
        "{ domain: github.com, proto: ssh }",
        "{ id: \"github.com:22/ssh\", domain: gitlab.com, proto: ssh }",
    ]));
    assert_eq!(codes(&problems), [decider::policy::Code::DuplicateId]);
    assert_eq!(problems[0].place.line, 6);
    assert_eq!(problems[0].related.as_ref().unwrap().place.line, 5);
}

#[test]
fn ports_are_kept_in_order_and_rules_in_theirs() {
    let spec = accepted(&with_rules(&[
        "{ domain: z.example.com, proto: tcp, port: [65535, 1, 5432] }",
        "{ domain: a.example.com, proto: ssh }",
    ]));
    assert_eq!(spec.rules[0].ports, [1, 5432, 65535]);
    assert_eq!((spec.rules[0].line, spec.rules[1].line), (5, 6));
    assert_eq!((spec.rules[1].proto, spec.rules[1].action), (Proto::Ssh, Action::Allow));
}

#[test]
fn a_name_may_be_allowed_on_one_port_and_denied_on_another() {
    let policy = compile(&[
        "{ domain: db.example.com, proto: tcp, port: 5432 }",
        "{ domain: db.example.com, proto: tcp, port: 8443, action: deny }",
        "{ domain: other.example.com, proto: tcp, port: 5432 }",
    ]);
    let name = DomainName::parse("db.example.com").unwrap();
    assert!(
        matches!(policy.lookup(&name, 5432), NameMatch::Allow(route) if route.rule.id.as_str() == "db.example.com:5432/tcp")
    );
    assert!(matches!(policy.lookup(&name, 8443), NameMatch::Deny(_)));
    assert_eq!(policy.lookup(&name, 22), NameMatch::OtherPort);
    assert_eq!(policy.lookup(&DomainName::parse("example.com").unwrap(), 5432), NameMatch::Unknown);
    assert_eq!(policy.ports(), [5432, 8443]);
}

#[test]
fn the_same_policy_can_be_written_in_many_ways() {
    let block = "version: 1\nintercept:\n  gateway:\n    interfaces:\n      - lan0\ndns:\n  resolvers:\n  - 192.0.2.53\n\
                 rules:\n- domain: github.com\n  proto: ssh\n";
    let flow = "{version: 1, intercept: {gateway: {interfaces: [lan0]}}, dns: {resolvers: [192.0.2.53]}, \
                rules: [{domain: github.com, proto: ssh}]}";
    let json = r#"{"version": 1, "intercept": {"gateway": {"interfaces": ["lan0"]}},
                   "dns": {"resolvers": ["192.0.2.53"]}, "rules": [{"domain": "github.com", "proto": "ssh"}]}"#;
    let quoted = block.replace("github.com", "'github.com'   # the code").replace("ssh", "\"ssh\"");
    let windows = block.replace('\n', "\r\n");
    let marked = format!("---\n# a comment\n\n{block}...\n");
    let mut wanted = accepted(block);
    for text in [flow, json, &quoted, &windows, &marked] {
        let mut spec = accepted(text);
        for rule in wanted.rules.iter_mut().chain(&mut spec.rules) {
            rule.line = 0;
        }
        assert_eq!(spec, wanted, "{text}");
    }
}

#[test]
fn a_mask_may_have_gaps_and_every_mark_stays_within_it() {
    for mask in ["\"0xff003f00\"", "0x80000111", "\"0x0000000F\"", "0xF0F0F0F0", "\"0xffffffff\""] {
        let spec = accepted(&with("mask", mask));
        let mut slots = SlotTable::default();
        slots.assign(&spec).unwrap();
        let policy = Policy::compile(spec.clone(), &slots, Epoch::default()).unwrap();
        for route in policy.routes() {
            assert_ne!(route.mark.0, 0);
            assert_eq!(route.mark.0 & spec.marks.others(), 0, "{mask}");
            for other in [spec.marks.deny(), spec.marks.direct(), spec.marks.upstream()] {
                assert_ne!(route.mark, other, "{mask}");
            }
        }
    }
}

fn compile(rules: &[&str]) -> Policy {
    let spec = accepted(&with_rules(rules));
    let mut slots = SlotTable::default();
    slots.assign(&spec).unwrap();
    Policy::compile(spec, &slots, Epoch::default()).unwrap()
}
