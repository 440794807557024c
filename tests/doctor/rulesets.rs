//! Rulesets and routing rules of others.

use decider::doctor::{Facts, ForeignRule, Level, Listing, Unseen};
use serde_json::{Value, json};

use crate::{Case, check, facts, finding};

fn rule() -> ForeignRule {
    ForeignRule { preference: 100, table: Some(77), ..ForeignRule::default() }
}

const ROUTING: &[Case] = &[
    (
        "routing.order",
        |facts| facts.routing = Ok(vec![rule()]),
        Level::Wrong,
        "pref 100 lookup 77",
        "ip rule add pref 1100 lookup 77; ip rule del pref 100 lookup 77",
    ),
    (
        "routing.order",
        |facts| {
            let from = Some("10.0.0.0/8".to_owned());
            facts.routing = Ok(vec![ForeignRule { v6: true, interface: Some("br-1".to_owned()), from, ..rule() }]);
        },
        Level::Wrong,
        "from 10.0.0.0/8 iif br-1",
        "ip -6 rule del pref 100",
    ),
    (
        "routing.order",
        |facts| facts.routing = Ok(vec![ForeignRule { mark: Some((7, 0xff)), inverted: true, ..rule() }]),
        Level::Wrong,
        "pref 100 not fwmark 0x7/0xff",
        "pref 1100 not",
    ),
    ("routing.order", |facts| facts.routing = Err(Unseen("no".to_owned())), Level::Warn, "no", ""),
    (
        "routing.marks",
        |facts| facts.routing = Ok(vec![ForeignRule { mark: Some((0x100, u32::MAX)), preference: 9000, ..rule() }]),
        Level::Warn,
        "fwmark 0x100/0xffffffff",
        "marks: { mask: \"0xff803e00\" }",
    ),
];

#[test]
fn routing_rules_in_the_way() {
    check(ROUTING);
}

#[test]
fn routing_rules_that_do_no_harm() {
    let harmless = [
        ForeignRule { preference: 0, table: Some(255), ..rule() },
        ForeignRule { preference: 5210, mark: Some((0x80000, 0xff_0000)), ..rule() },
        ForeignRule { preference: 32_764, mark: Some((0xca6c, u32::MAX)), inverted: true, ..rule() },
        ForeignRule { interface: Some("eth0".to_owned()), ..rule() },
        ForeignRule { table: None, ..rule() },
    ];
    for rule in harmless {
        let facts = Facts { routing: Ok(vec![rule]), ..facts::well() };
        assert_eq!(finding(&facts, "routing.order").level, Level::Ok, "{facts:?}");
        // What wg-quick compares has a bit of decider's, by value: 0xca6c. That is said.
        let overlaps = facts.routing.as_ref().unwrap()[0].mark == Some((0xca6c, u32::MAX));
        assert_eq!(finding(&facts, "routing.marks").level != Level::Ok, overlaps);
    }
}

fn listed(items: &[Value]) -> Listing {
    Listing::read(&json!({ "nftables": items }), &["decider", "decider_alive"])
}

fn base(hook: &str, policy: &str) -> Value {
    let chain = json!({ "family": "inet", "table": "filter", "name": hook, "hook": hook, "prio": 0, "policy": policy });
    json!({ "chain": chain })
}

fn in_chain(chain: &str, statements: &Value) -> Value {
    json!({ "rule": { "family": "inet", "table": "filter", "chain": chain, "expr": statements } })
}

/// `meta mark & 0x... == 0x... accept`.
fn accepts(value: u32, bits: u32) -> Value {
    let left = json!({ "&": [{ "meta": { "key": "mark" } }, bits] });
    json!([{ "match": { "op": "==", "left": left, "right": value } }, { "accept": null }])
}

fn with(items: &[Value]) -> Facts {
    let mut facts = facts::well();
    facts.others.nftables = Ok(listed(items));
    facts
}

#[test]
fn chains_that_close_a_hook_to_what_they_do_not_know() {
    for (name, hook, marks) in [
        ("others.input", "input", vec!["0x80000000 == 0x80000000", "0xc0000000 == 0x40000000"]),
        ("others.forward", "forward", vec!["0xff003f00 == 0x00000200"]),
        ("others.output", "output", vec!["0xff003f00 == 0x00000300"]),
    ] {
        let last = in_chain(hook, &json!([{ "counter": null }, { "reject": null }]));
        let narrow = in_chain(hook, &json!([{ "match": {} }, { "drop": null }]));
        for closed in [vec![base(hook, "drop")], vec![base(hook, "accept"), last]] {
            let found = finding(&with(&closed), name);
            assert_eq!(found.level, Level::Warn, "{found:?}");
            for mark in &marks {
                let command = format!("nft insert rule inet filter {hook} meta mark and {mark} accept");
                assert!(found.fix.as_ref().unwrap().contains(&command), "{found:?}");
            }
        }
        // Who lets decider's mark in has thought of it, in a chain behind as well.
        let jump = in_chain(hook, &json!([{ "jump": { "target": "ours" } }]));
        let known = [base(hook, "drop"), jump, in_chain("ours", &accepts(0x8000_0000, 0x8000_0000))];
        let unknown = [base(hook, "drop"), in_chain("ours", &accepts(0x8000_0000, 0x8000_0000))];
        let prefix = json!({ "prefix": { "addr": 0x4000_0000u32, "len": 2 } });
        let left = json!({ "meta": { "key": "mark" } });
        let prefix = json!([{ "match": { "op": "==", "left": left, "right": prefix } }, { "accept": null }]);
        let prefix = [base(hook, "drop"), in_chain(hook, &prefix)];
        let other = [base(hook, "drop"), in_chain(hook, &accepts(0x1, 0xff))];
        let open = [base(hook, "accept"), narrow];
        for (items, level) in [
            (&known[..], Level::Ok),
            (&prefix, Level::Ok),
            (&open, Level::Ok),
            (&unknown, Level::Warn),
            (&other, Level::Warn),
        ] {
            assert_eq!(finding(&with(items), name).level, level, "{hook}: {items:?}");
        }
    }
}

#[test]
fn what_is_not_forwarded_needs_no_open_hook() {
    let mut facts = with(&[base("forward", "drop")]);
    facts.others.asks_beyond = false;
    assert_eq!(finding(&facts, "others.forward").level, Level::Ok);
}

/// `meta mark set ...`.
fn sets(value: &Value) -> Value {
    json!([{ "mangle": { "key": { "meta": { "key": "mark" } }, "value": value } }])
}

#[test]
fn marks_of_others() {
    let mark = json!({ "meta": { "key": "mark" } });
    let ct_mark = json!({ "ct": { "key": "mark" } });
    let cases = [
        // The whole mark, an added bit of decider's, decider's bits cleared, compared.
        (sets(&json!(0x1)), true),
        (sets(&json!({ "|": [mark, 0x100] })), true),
        (sets(&json!({ "&": [mark, 0xff] })), true),
        (json!([{ "match": { "op": "==", "left": ct_mark, "right": 0x100 } }, { "drop": null }]), true),
        (json!([{ "mangle": { "key": ct_mark, "value": 0x200 } }]), true),
        // kube-proxy, Tailscale, and who knows decider's marks.
        (sets(&json!({ "|": [mark, 0x4000] })), false),
        (sets(&json!({ "|": [{ "&": [mark, 0xff00_ffffu32] }, 0x4_0000] })), false),
        (
            json!([{ "match": { "op": "==", "left": { "&": [mark, 0x4000] }, "right": 0x4000 } }, { "drop": null }]),
            false,
        ),
        (accepts(0x8000_0000, 0x8000_0000), false),
    ];
    for (statements, overlaps) in cases {
        let found =
            finding(&with(&[base("prerouting", "accept"), in_chain("prerouting", &statements)]), "others.marks");
        assert_eq!(found.level != Level::Ok, overlaps, "{statements}: {found:?}");
        assert!(!overlaps || found.fix.unwrap().contains("mask:"));
    }
}

#[test]
fn programs_are_known_by_their_chains() {
    for (name, program) in [
        ("DOCKER-USER", "Docker"),
        ("ufw-before-input", "ufw"),
        ("ts-input", "Tailscale"),
        ("KUBE-SERVICES", "kube-proxy"),
        ("firewalld", "firewalld"),
    ] {
        let chain = json!({ "chain": { "family": "ip", "table": "filter", "name": name } });
        let found = finding(&with(&[chain, in_chain(name, &json!([{ "accept": null }]))]), "others.programs");
        assert!(found.what.contains(program), "{found:?}");
    }
    // decider's own table is not another's.
    let own = json!({ "rule": { "family": "inet", "table": "decider", "chain": "c", "expr": sets(&json!(1)) } });
    assert_eq!(finding(&with(&[own]), "others.marks").level, Level::Ok);
}

#[test]
fn filters_of_the_way_back_by_mark() {
    let fib = |flags: &[&str]| json!([{ "match": { "op": "==", "left": { "fib": { "result": "oif", "flags": flags } }, "right": false } }, { "drop": null }]);
    let found = finding(&with(&[in_chain("pre", &fib(&["saddr", "mark", "iif"]))]), "others.rpfilter");
    assert_eq!(found.level, Level::Wrong);
    assert!(found.fix.unwrap().contains("nft flush chain inet filter pre"));
    assert_eq!(finding(&with(&[in_chain("pre", &fib(&["saddr", "iif"]))]), "others.rpfilter").level, Level::Ok);
}

#[test]
fn rules_that_cannot_be_seen() {
    let mut facts = facts::well();
    facts.others.legacy = vec!["filter".to_owned()];
    assert_eq!(finding(&facts, "others.legacy").level, Level::Warn);
    facts.others.nftables = Err(Unseen("Operation not permitted".to_owned()));
    assert_eq!(finding(&facts, "others.programs").level, Level::Warn);
}
