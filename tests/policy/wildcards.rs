//! Rules for all names below one: how they are written, and which of several rules counts.

use std::fmt::Write;

use decider::model::{DomainName, Epoch, Upstream};
use decider::policy::{Code, NameMatch, Policy, SlotTable, load};

use crate::{accepted, codes, refused, with_rules};

fn rule(domain: &str) -> String {
    with_rules(&[&format!("{{ domain: {}, proto: tcp, port: 5432 }}", serde_json::to_string(domain).unwrap())])
}

fn compile(text: &str) -> Policy {
    let spec = load(text).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}")).spec;
    let mut slots = SlotTable::default();
    slots.assign(&spec).unwrap();
    Policy::compile(spec, &slots, Epoch::default()).unwrap()
}

/// The id of the rule that decides, with a `-` in front if it denies.
fn found(policy: &Policy, name: &str, port: u16) -> String {
    match policy.lookup(&DomainName::parse(name).unwrap(), port) {
        NameMatch::Allow(route) => route.rule.id.to_string(),
        NameMatch::Deny(rule) => format!("-{}", rule.id),
        NameMatch::OtherPort => "other port".into(),
        NameMatch::Unknown => "unknown".into(),
    }
}

#[test]
fn a_star_stands_for_one_or_more_labels_below_a_name() {
    for (written, meant) in [
        ("*.example.com", "*.example.com"),
        ("*.Example.COM.", "*.example.com"),
        ("*.b\u{fc}cher.example", "*.xn--bcher-kva.example"),
        ("*.XN--Bcher-KVA.example", "*.xn--bcher-kva.example"),
        ("*._tcp.example.com", "*._tcp.example.com"),
        ("*.user.github.io", "*.user.github.io"),
        ("*\u{3002}example\u{ff0e}com", "*.example.com"),
    ] {
        let spec = accepted(&rule(written));
        assert_eq!(spec.rules[0].name.as_str(), meant, "{written}");
        assert_eq!(spec.rules[0].id.as_str(), format!("{meant}:5432/tcp"), "{written}");
    }
}

#[test]
fn a_wildcard_above_a_public_suffix_is_warned_of() {
    let warned = |rule: &str| codes(&load(&with_rules(&[rule])).unwrap().warnings);
    for base in ["amazonaws.com", "eu-west-1.amazonaws.com", "core.windows.net"] {
        let allow = format!("{{ domain: \"*.{base}\", proto: tcp, port: 5432 }}");
        assert_eq!(warned(&allow), [Code::StrangersBelow], "{base}");
    }
    for rule in ["domain: \"*.example.com\"", "domain: \"*.bucket.s3.amazonaws.com\"", "domain: s3.amazonaws.com"] {
        assert_eq!(warned(&format!("{{ {rule}, proto: tcp, port: 5432 }}")), [], "{rule}");
    }
    // There it is a good thing.
    let deny = "{ domain: \"*.amazonaws.com\", proto: tcp, port: 5432, action: deny }";
    assert!(!warned(deny).contains(&Code::StrangersBelow));
}

#[test]
fn what_a_wildcard_means_and_what_not() {
    let policy = compile(&rule("*.example.com"));
    let wildcard = "*.example.com:5432/tcp";
    for (name, expected) in [
        ("a.example.com", wildcard),
        ("A.Example.Com.", wildcard),
        ("a.b.c.d.example.com", wildcard),
        ("_postgresql._tcp.example.com", wildcard),
        ("xn--bcher-kva.example.com", wildcard),
        ("b\u{fc}cher.example.com", wildcard),
        ("example.com", "unknown"),
        ("badexample.com", "unknown"),
        ("a.badexample.com", "unknown"),
        ("-example.com", "unknown"),
        ("com", "unknown"),
        ("example.com.evil.org", "unknown"),
        ("a.example.com.evil.org", "unknown"),
        ("a.example.org", "unknown"),
    ] {
        assert_eq!(found(&policy, name, 5432), expected, "{name}");
        let elsewhere = if expected == wildcard { "other port" } else { expected };
        assert_eq!(found(&policy, name, 22), elsewhere, "{name}");
        assert_eq!(policy.mentions(&DomainName::parse(name).unwrap()), expected == wildcard, "{name}");
    }
    // Not even every name of the longest kind is walked through in vain.
    let deep = format!("{}.example.com", ["a"; 120].join("."));
    assert_eq!(found(&policy, &deep, 5432), wildcard);
}

#[test]
fn international_names_match_in_both_forms() {
    let policy = compile(&rule("*.b\u{fc}cher.example"));
    for name in ["a.b\u{fc}cher.example", "a.xn--bcher-kva.example", "A.B\u{dc}CHER.example"] {
        assert_eq!(found(&policy, name, 5432), "*.xn--bcher-kva.example:5432/tcp", "{name}");
    }
    for name in ["b\u{fc}cher.example", "a.bucher.example", "xn--a-bcher-kva.example"] {
        assert_eq!(found(&policy, name, 5432), "unknown", "{name}");
    }
}

#[test]
fn the_narrowest_allowance_counts_and_any_denial_beats_it() {
    let rules = with_rules(&[
        "{ id: wide, domain: \"*.example.com\", proto: tcp, port: [22, 5432] }",
        "{ id: narrow, domain: \"*.db.example.com\", proto: tcp, port: 5432 }",
        "{ id: exact, domain: a.db.example.com, proto: tcp, port: 5432 }",
        "{ id: not-old, domain: old.db.example.com, proto: tcp, port: 5432, action: deny }",
        "{ id: not-any, domain: \"*.off.example.com\", proto: tcp, port: [22, 5432], action: deny }",
        "{ id: not-one, domain: one.off.example.com, proto: tcp, port: 5432, action: deny }",
        "{ id: apex, domain: example.com, proto: tcp, port: 22 }",
        "{ id: dead, domain: b.off.example.com, proto: tcp, port: 5432 }",
        "{ id: dead-too, domain: \"*.b.off.example.com\", proto: tcp, port: [5432, 9000] }",
    ]);
    let policy = compile(&rules);
    for (name, port, expected) in [
        ("x.example.com", 5432, "wide"),
        ("db.example.com", 5432, "wide"),
        ("x.db.example.com", 5432, "narrow"),
        ("x.y.db.example.com", 5432, "narrow"),
        ("a.db.example.com", 5432, "exact"),
        ("x.a.db.example.com", 5432, "narrow"),
        // A rule is about a name and a port: on another port, another rule may be the narrowest.
        ("a.db.example.com", 22, "wide"),
        ("old.db.example.com", 5432, "-not-old"),
        ("x.old.db.example.com", 5432, "narrow"),
        ("old.db.example.com", 22, "wide"),
        ("off.example.com", 5432, "wide"),
        ("x.off.example.com", 5432, "-not-any"),
        ("x.off.example.com", 22, "-not-any"),
        ("one.off.example.com", 5432, "-not-one"),
        ("b.off.example.com", 5432, "-not-any"),
        ("x.b.off.example.com", 5432, "-not-any"),
        ("x.b.off.example.com", 9000, "dead-too"),
        ("b.off.example.com", 9000, "other port"),
        ("example.com", 22, "apex"),
        ("example.com", 5432, "other port"),
        ("example.org", 22, "unknown"),
    ] {
        assert_eq!(found(&policy, name, port), expected, "{name} on port {port}");
    }
    // What is denied on every port that another rule allows is allowed nowhere: no question for it may leave.
    for (name, allowed) in [
        ("x.example.com", true),
        ("old.db.example.com", true),
        ("off.example.com", true),
        ("x.off.example.com", false),
        ("b.off.example.com", false),
        ("x.b.off.example.com", true),
        ("example.com", true),
        ("example.org", false),
    ] {
        assert_eq!(policy.allows(&DomainName::parse(name).unwrap()), allowed, "{name}");
    }
    // Two of them are told to change nothing, or not on every port.
    let warnings = load(&rules).unwrap().warnings;
    assert_eq!(codes(&warnings), [Code::NoEffect, Code::NoEffect], "{warnings:#?}");
    assert_eq!((warnings[0].place.line, warnings[1].place.line), (12, 13));
    assert!(warnings.iter().all(|warning| warning.message.contains("on port 5432")), "{warnings:#?}");
    assert_eq!(warnings[0].related.as_ref().unwrap().place.line, 9);
}

#[test]
fn one_wildcard_and_port_has_one_rule_and_names_below_may_have_their_own() {
    let wildcard = "{ domain: \"*.example.com\", proto: tcp, port: 5432 }";
    for (other, expected) in [
        ("{ id: twin, domain: \"*.EXAMPLE.com.\", proto: tcp, port: [80, 5432] }", Code::DuplicateRule),
        ("{ id: no, domain: \"*.example.com\", proto: tcp, port: 5432, action: deny }", Code::ConflictingRules),
        ("{ id: odd, domain: \"*.example.com\", proto: ssh, port: 5432 }", Code::ConflictingRules),
        ("{ id: \"*.example.com:5432/tcp\", domain: a.example.org, proto: ssh }", Code::DuplicateId),
    ] {
        assert_eq!(codes(&refused(&with_rules(&[wildcard, other]))), [expected], "{other}");
    }
    accepted(&with_rules(&[
        wildcard,
        "{ domain: example.com, proto: tcp, port: 5432 }",
        "{ domain: a.example.com, proto: tcp, port: 5432 }",
        "{ domain: \"*.a.example.com\", proto: tcp, port: 5432 }",
        "{ domain: b.example.com, proto: tcp, port: 5432, action: deny }",
        "{ domain: \"*.example.com\", proto: ssh }",
    ]));
}

#[test]
fn a_star_anywhere_else_says_what_to_write() {
    for (written, code, help) in [
        ("*", Code::BadWildcard, "for each name"),
        ("*.", Code::BadWildcard, "for each name"),
        ("**", Code::BadWildcard, "for each name"),
        ("**.example.com", Code::BadWildcard, "`*.example.com`"),
        ("*.*.example.com", Code::BadWildcard, "`*.example.com`"),
        ("*example.com", Code::BadWildcard, "`*.example.com`"),
        ("db*.example.com", Code::BadWildcard, "`*.example.com`"),
        ("*db.example.com", Code::BadWildcard, "`*.db.example.com`"),
        ("git.*.example.com", Code::BadWildcard, "`*.example.com`"),
        ("example.*", Code::BadWildcard, "in front"),
        ("https://*.example.com/", Code::BadWildcard, "alone: `*.example.com`"),
        ("*.example.com:5432", Code::BadWildcard, "alone: `*.example.com`"),
        ("*.*", Code::BadWildcard, "in front"),
        (".example.com", Code::BadName, "\"*.example.com\" for all below"),
        ("*..example.com", Code::BadName, "look up"),
        ("*.a b.example", Code::BadName, "look up"),
        ("*.exa\\.mple.com", Code::BadName, "look up"),
        ("\u{ff0a}.example.com", Code::BadName, "look up"),
        ("*.192.0.2.7", Code::BadName, "look up"),
        ("*.2001:db8::7", Code::BadName, "look up"),
        ("*.192.0.2.0/24", Code::BadName, "look up"),
        ("*.0.2.7", Code::BadName, "look up"),
        ("*.com", Code::PublicSuffix, "`*.example.com`"),
        ("*.COM.", Code::PublicSuffix, "`*.example.com`"),
        ("*.internal", Code::PublicSuffix, "`*.example.internal`"),
        ("*.co.uk", Code::PublicSuffix, "`*.NAME.co.uk`"),
        ("*.\u{440}\u{444}", Code::PublicSuffix, "`*.example.xn--p1ai`"),
        ("*.\u{516c}\u{53f8}.cn", Code::PublicSuffix, "`*.NAME.xn--55qx5d.cn`"),
        ("*.kawasaki.jp", Code::PublicSuffix, "`*.NAME.kawasaki.jp`"),
        ("*.github.io", Code::PublicSuffix, "`*.NAME.github.io`"),
        ("*.s3.amazonaws.com", Code::PublicSuffix, "`*.NAME.s3.amazonaws.com`"),
    ] {
        let problems = refused(&rule(written));
        assert_eq!(codes(&problems), [code], "{written:?}: {problems:#?}");
        let said = problems[0].help.as_deref().unwrap();
        assert!(said.contains(help), "{written:?}: {said}");
        assert_eq!((problems[0].place.line, problems[0].place.column), (5, 15), "{written:?}");
        // A name that is denied lets nobody in, but a slip of the pen is one there too.
        let denied = rule(written).replace("port: 5432", "port: 5432, action: deny");
        assert_eq!(codes(&refused(&denied)), [code], "{written:?}");
    }
}

#[test]
fn a_wildcard_has_room_for_a_name_below_it() {
    let label = "a".repeat(63);
    let longest = format!("*.{label}.{label}.{label}.{}", "a".repeat(59));
    assert_eq!(longest.len(), 253);
    let text = |domain: &str| with_rules(&[&format!("{{ id: long, domain: \"{domain}\", proto: ssh }}")]);
    assert_eq!(accepted(&text(&longest)).rules[0].name.as_str(), longest);
    assert_eq!(codes(&refused(&text(&format!("{longest}a")))), [Code::BadName]);
}

#[test]
fn names_are_looked_up_again_and_wildcards_are_not() {
    let upstreams = |top: &str, rules: &[&str]| -> Vec<Upstream> {
        let text = with_rules(rules).replace("rules:", &format!("{top}\nrules:"));
        accepted(&text).rules.iter().map(|rule| rule.upstream).collect()
    };
    let (exact, wild) = ("{ domain: a.example.com, proto: ssh", "{ domain: \"*.example.com\", proto: ssh");
    let plain = [&format!("{exact} }}")[..], &format!("{wild} }}")];
    assert_eq!(upstreams("", &plain), [Upstream::Resolve, Upstream::Original]);
    assert_eq!(upstreams("upstream: original", &plain), [Upstream::Original; 2]);
    let said = [&format!("{exact}, upstream: original }}")[..], &format!("{wild}, upstream: original }}")];
    for top in ["", "upstream: original", "upstream: resolve"] {
        assert_eq!(upstreams(top, &said), [Upstream::Original; 2], "{top}");
    }
    let back = format!("{exact}, upstream: resolve }}");
    assert_eq!(upstreams("upstream: original", &[&back]), [Upstream::Resolve]);
}

#[test]
fn many_names_cannot_be_looked_up() {
    let wild = "{ domain: \"*.example.com\", proto: ssh";
    let problems = refused(&with_rules(&[&format!("{wild}, upstream: resolve }}")]));
    assert_eq!(codes(&problems), [Code::WildcardResolve]);
    assert_eq!((problems[0].place.line, problems[0].place.column), (5, 54), "{problems:#?}");
    // What the whole policy says is not silently left out for a rule.
    let text = with_rules(&[&format!("{wild} }}")]).replace("rules:", "upstream: resolve\nrules:");
    let problems = refused(&text);
    assert_eq!(codes(&problems), [Code::WildcardResolve]);
    assert_eq!((problems[0].place.line, problems[0].related.as_ref().unwrap().place.line), (6, 4));
    // Nothing is delivered of what is denied.
    accepted(&text.replace("proto: ssh", "proto: ssh, action: deny"));
    let odd = with_rules(&[&format!("{wild}, action: deny, upstream: resolve }}")]);
    assert_eq!(codes(&load(&odd).unwrap().warnings), [Code::NoEffect]);
}

#[test]
fn a_look_up_allocates_nothing_however_many_rules_there_are() {
    let mut text = with_rules(&[]);
    for index in 0..10_000 {
        let star = if index % 2 == 0 { "*." } else { "" };
        writeln!(text, "  - {{ domain: \"{star}h{index}.d{}.example.com\", proto: ssh }}", index % 7).unwrap();
    }
    let policy = compile(&text);
    let names: Vec<DomainName> = (0..10_000)
        .map(|index| format!("h{index}.d{}.example.com", index % 7))
        .flat_map(|name| [format!("a.b.{name}"), name])
        .map(|name| DomainName::parse(&name).unwrap())
        .collect();
    let mut allowed = 0;
    let counted = allocation_counter::measure(|| {
        for name in &names {
            let found = matches!(policy.lookup(name, 22), NameMatch::Allow(_));
            assert_eq!(found, policy.mentions(name));
            allowed += usize::from(found);
        }
    });
    assert_eq!(allowed, 10_000);
    assert_eq!(counted.count_total, 0);
}
