//! Temporary rules: what may be asked for, what goes with a policy file, how long they last over a restart.

use std::net::IpAddr;
use std::time::Duration;

use decider::model::{DomainName, Epoch, Moment, Upstream};
use decider::policy::temporary::{
    Asked, Clocks, LONGEST, MOST, Merged, Refused, SAVE_EVERY, SHORTEST, Saved, Temporaries, resolve,
};
use decider::policy::{Asker, Code, NameMatch, Policy, Rule, SlotTable, Spec, load};

const START: u64 = 1_000;
const MINUTE: Duration = Duration::from_secs(60);

fn spec(head: &str, rules: &[&str]) -> Spec {
    let rules = if rules.is_empty() { "  []".to_owned() } else { format!("  - {}", rules.join("\n  - ")) };
    let text = format!(
        "version: 1\nintercept: {{ gateway: {{ interfaces: [lan0], networks: [10.77.0.0/16, \"fd77::/16\"] }} }}\n\
         dns: {{ resolvers: [192.0.2.53] }}\n{head}rules:\n{rules}\n"
    );
    load(&text).unwrap().spec
}

fn asked(target: &str) -> Asked {
    Asked { target: target.to_owned(), client: None, lasts: MINUTE, by: 0 }
}

fn resolved(asked: &Asked, spec: &Spec) -> Result<Rule, Refused> {
    resolve(asked, spec, Moment::from_secs(START)).map(|resolved| resolved.rule)
}

fn rule(target: &str) -> Rule {
    resolved(&asked(target), &spec("", &[])).unwrap()
}

fn code(target: &str, spec: &Spec) -> Code {
    let refused = resolved(&asked(target), spec);
    refused.map_or_else(|refused| refused.code, |rule| panic!("{target:?} is {}", rule.id))
}

fn list(targets: &[&str]) -> Temporaries {
    targets.iter().map(|target| rule(target)).collect()
}

fn ids(rules: &Temporaries) -> Vec<&str> {
    rules.iter().map(|rule| rule.id.as_str()).collect()
}

fn compiled(merged: Merged) -> Policy {
    let mut slots = SlotTable::default();
    slots.assign(&merged.spec).unwrap();
    Policy::compile(merged.spec, &slots, Epoch(1)).unwrap()
}

fn found<'p>(policy: &'p Policy, client: &str, seconds: u64, name: &str, port: u16) -> NameMatch<'p> {
    let asker = Asker { client: client.parse().unwrap(), now: Moment::from_secs(seconds) };
    policy.lookup_for(Some(asker), &DomainName::parse(name).unwrap(), port)
}

fn is_allowed(policy: &Policy, client: &str, seconds: u64, name: &str, port: u16) -> bool {
    matches!(found(policy, client, seconds, name, port), NameMatch::Allow(_))
}

#[test]
fn a_rule_is_called_as_the_file_would_call_it() {
    for (target, id) in [
        ("github.com", "github.com:22/ssh"),
        ("GitHub.com:22", "github.com:22/ssh"),
        ("github.com/ssh", "github.com:22/ssh"),
        ("github.com:2222/ssh", "github.com:2222/ssh"),
        ("db.example.com:5432", "db.example.com:5432/tcp"),
        ("*.example.com:22/tcp", "*.example.com:22/tcp"),
    ] {
        assert_eq!(rule(target).id.as_str(), id, "{target}");
    }
    let of_file = spec("", &["{ domain: github.com, proto: ssh }"]).rules.remove(0);
    assert_eq!(Rule { term: None, line: of_file.line, ..rule("github.com") }, of_file);
    let client: IpAddr = "::ffff:10.77.0.7".parse().unwrap();
    let narrow = resolved(&Asked { client: Some(client), ..asked("github.com") }, &spec("", &[])).unwrap();
    assert_eq!(narrow.id.as_str(), "github.com:22/ssh@10.77.0.7");
    let long = [&"a".repeat(60), &"b".repeat(60)[..], "example.com"].join(".");
    let id = rule(&long).id;
    assert!(id.as_str().len() <= 128 && id.as_str().starts_with("aaaa") && id.as_str().ends_with(":22/ssh"), "{id}");
    assert_ne!(id, rule(&long.replace('b', "c")).id);
}

#[test]
fn what_is_assumed_is_said() {
    let policy = spec(
        "",
        &["{ domain: a.example, proto: ssh, port: [22, 2222] }", "{ domain: b.example, proto: tcp, port: 22 }"],
    );
    let notes = |target: &str| resolve(&asked(target), &policy, Moment::ZERO).unwrap().notes;
    assert_eq!(notes("x.example"), ["port 22 and ssh are assumed, since neither a port nor a proto was named"]);
    assert_eq!(notes("x.example/ssh"), ["port 22 is assumed, which is that of ssh"]);
    assert_eq!(notes("x.example:22"), ["ssh is assumed, whose port is 22"]);
    assert_eq!(notes("x.example:2222"), ["ssh is assumed, which the policy's rules have on port 2222"]);
    assert_eq!(notes("x.example:5432"), ["tcp is assumed, since no proto was named"]);
    assert_eq!(notes("x.example:5432/tcp"), Vec::<String>::new());
    assert!(notes("localbox:22/ssh")[0].contains("has no dot"));
}

#[test]
fn what_a_policy_file_may_not_say_is_refused() {
    let policy = spec(
        "",
        &[
            "{ domain: \"*.allowed.example\", proto: ssh }",
            "{ domain: \"*.denied.example\", proto: ssh, action: deny }",
            "{ id: \"x.example:22/ssh\", domain: y.example, proto: ssh }",
        ],
    );
    for (target, expected) in [
        ("", Code::BadName),
        ("*", Code::BadWildcard),
        ("*.com", Code::PublicSuffix),
        ("*.co.uk:22", Code::PublicSuffix),
        ("10.0.0.1:22", Code::NotSupportedYet),
        ("[2001:db8::1]:22", Code::NotSupportedYet),
        ("2001:db8::1", Code::NotSupportedYet),
        ("10.0.0.0/8", Code::NotSupportedYet),
        ("host.10", Code::BadName),
        ("https://github.com/", Code::BadName),
        ("user@github.com", Code::BadName),
        ("x.example\", domain: \"evil.example:22", Code::BadName),
        ("x.example:22/tcp/ssh", Code::BadNumber),
        ("x.example:", Code::BadNumber),
        ("x.example:99999", Code::OutOfRange),
        ("x.example:53/tcp", Code::DnsPort),
        ("x.example:1,2", Code::TooMany),
        ("x.example:1-2", Code::TooMany),
        ("x.example/tcp", Code::PortMissing),
        ("x.example:443/tls", Code::NotSupportedYet),
        ("x.example:22/", Code::UnknownWord),
        ("a.allowed.example", Code::DuplicateRule),
        ("*.b.allowed.example", Code::DuplicateRule),
        ("*.allowed.example", Code::DuplicateRule),
        ("a.denied.example", Code::ConflictingRules),
        ("*.b.denied.example", Code::ConflictingRules),
        ("y.example", Code::DuplicateRule),
        ("x.example", Code::DuplicateId),
    ] {
        assert_eq!(code(target, &policy), expected, "{target}");
    }
    // What is wider than a denial, or beside an allowance, may stand.
    for target in ["*.example.org", "a.allowed.example:2222", "allowed.example", "denied.example", "x.example:2222"] {
        resolved(&asked(target), &policy).unwrap();
    }
    for lasts in [Duration::ZERO, SHORTEST / 2, LONGEST + SHORTEST, Duration::MAX] {
        let refused = resolved(&Asked { lasts, ..asked("z.example") }, &policy).unwrap_err();
        assert_eq!(refused.code, Code::OutOfRange, "{lasts:?}");
    }
    let stranger = Asked { client: Some("192.0.2.1".parse().unwrap()), ..asked("z.example") };
    assert_eq!(resolved(&stranger, &policy).unwrap_err().code, Code::NoEffect);
}

#[test]
fn it_is_for_its_client_alone_and_until_its_end() {
    for (client, other) in [("10.77.0.7", "10.77.0.8"), ("fd77::7", "fd77::8")] {
        let policy =
            spec("", &["{ domain: a.example, proto: ssh }", "{ domain: \"*.no.example\", proto: ssh, action: deny }"]);
        let narrow = Asked { client: Some(client.parse().unwrap()), ..asked("x.example") };
        let wide = rule("*.wide.example");
        let rules: Temporaries = [resolved(&narrow, &policy).unwrap(), wide].into_iter().collect();
        let policy = compiled(rules.merge(&policy));
        let end = START + 60;
        assert!(is_allowed(&policy, client, START, "x.example", 22));
        assert!(is_allowed(&policy, client, end - 1, "x.example", 22));
        assert!(!is_allowed(&policy, client, end, "x.example", 22));
        assert_eq!(found(&policy, client, START, "x.example", 23), NameMatch::OtherPort);
        // For another client there is no such rule, on whatever port.
        assert_eq!(found(&policy, other, START, "x.example", 22), NameMatch::Unknown);
        assert_eq!(found(&policy, other, START, "x.example", 23), NameMatch::Unknown);
        assert!(is_allowed(&policy, other, START, "deep.wide.example", 22));
        assert!(!is_allowed(&policy, other, end, "deep.wide.example", 22));
        assert!(is_allowed(&policy, other, end, "a.example", 22));
        let name = DomainName::parse("x.example").unwrap();
        let asker =
            |client: &str, seconds| Some(Asker { client: client.parse().unwrap(), now: Moment::from_secs(seconds) });
        assert!(policy.allows_for(asker(client, START), &name));
        assert!(!policy.allows_for(asker(other, START), &name));
        assert!(!policy.allows_for(asker(client, end), &name));
        assert!(!policy.allows(&name) && policy.lookup(&name, 22) == NameMatch::Unknown);
    }
}

#[test]
fn a_denial_beats_it_and_a_rule_of_the_file_goes_first() {
    let file = spec(
        "",
        &["{ domain: no.wide.example, proto: ssh, action: deny }", "{ id: own, domain: own.wide.example, proto: ssh }"],
    );
    let merged = list(&["*.wide.example"]).merge(&file);
    assert_eq!(merged.dropped, []);
    let policy = compiled(merged);
    assert!(matches!(found(&policy, "10.77.0.7", START, "no.wide.example", 22), NameMatch::Deny(_)));
    let own = found(&policy, "10.77.0.7", START, "own.wide.example", 22);
    assert!(matches!(own, NameMatch::Allow(route) if route.rule.id.as_str() == "own"));
}

#[test]
fn those_that_do_not_go_with_a_new_file_are_left_out() {
    let rules = list(&["a.example", "b.example", "c.example", "d.example:22"]);
    let file = spec(
        "",
        &[
            "{ domain: a.example, proto: ssh, action: deny }",
            "{ domain: b.example, proto: ssh }",
            "{ id: \"c.example:22/ssh\", domain: e.example, proto: ssh }",
        ],
    );
    let merged = rules.merge(&file);
    assert_eq!(ids(&merged.kept), ["d.example:22/ssh"]);
    assert_eq!(Temporaries::of(&merged.spec), merged.kept);
    let why: Vec<&str> = merged.dropped.iter().map(|dropped| &*dropped.why.message).collect();
    assert!(why[0].contains("stays denied") && why[1].contains("already") && why[2].contains("has a rule with the id"));
    // A file that says nothing of them changes nothing about them.
    assert_eq!(rules.merge(&spec("", &[])).kept, rules);
    // Eleven marks: the first ones asked for have them.
    let many: Vec<String> = (0..12).map(|number| format!("n{number}.example")).collect();
    let many = list(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let merged = many.merge(&spec("marks: { mask: \"0xf\" }\n", &["{ domain: a.example, proto: ssh }"]));
    assert_eq!((merged.kept.iter().count(), &*merged.dropped[0].id.to_string()), (10, "n10.example:22/ssh"));
    compiled(merged);
}

#[test]
fn the_file_says_where_envoy_connects_to() {
    let original = spec("upstream: original\n", &[]);
    assert_eq!(resolved(&asked("a.example"), &original).unwrap().upstream, Upstream::Original);
    assert_eq!(rule("a.example").upstream, Upstream::Resolve);
    let looked_up = spec("upstream: resolve\n", &[]);
    assert_eq!(resolved(&asked("*.a.example"), &looked_up).unwrap().upstream, Upstream::Original);
    assert_eq!(list(&["a.example"]).merge(&original).spec.rules[0].upstream, Upstream::Original);
}

#[test]
fn there_are_not_too_many_and_the_same_again_is_one() {
    let names: Vec<String> = (0..MOST).map(|number| format!("n{number}.example")).collect();
    let mut rules = Temporaries::default();
    for name in &names {
        rules = rules.with(rule(name)).unwrap().0;
    }
    assert_eq!(rules.with(rule("more.example")).unwrap_err().code, Code::TooMany);
    let again = resolve(&asked("n3.example"), &spec("", &[]), Moment::from_secs(START + 30)).unwrap().rule;
    let (renewed, was_there) = rules.with(again).unwrap();
    assert!(was_there && renewed.iter().count() == MOST);
    let (stay, over) = renewed.split_at(Moment::from_secs(START + 60));
    assert_eq!((ids(&stay), over.iter().count()), (vec!["n3.example:22/ssh"], MOST - 1));
    assert_eq!(renewed.split_at(Moment::from_secs(START + 59)).1.iter().count(), 0);
    let (_, revoked) = renewed.split_by("N4.example");
    assert_eq!(ids(&revoked), ["n4.example:22/ssh"]);
    assert_eq!(ids(&renewed.split_by("n5.example:22/ssh").1), ["n5.example:22/ssh"]);
    assert!(renewed.split_by("*.example").1.is_empty() && renewed.split_by("").1.is_empty());
}

/// The clocks `after` so many seconds, in a boot, with the wall clock set forward or back by so much.
fn clocks(boot: &str, after: u64, set: i64) -> Clocks {
    let wall = 1_800_000_000_u64.checked_add_signed(set).unwrap() + after;
    Clocks { boot_id: boot.to_owned(), wall: Duration::from_secs(wall), now: Moment::from_secs(START + after) }
}

/// What a rule for ten minutes that is saved at once has left after a restart, in seconds.
fn left(present: &Clocks) -> Option<u64> {
    let ten = resolved(
        &Asked { lasts: 10 * MINUTE, client: Some("10.77.0.7".parse().unwrap()), ..asked("a.example") },
        &spec("", &[]),
    );
    let rules: Temporaries = [ten.unwrap()].into_iter().collect();
    let text = serde_json::to_string(&Saved::of(&rules, &clocks("one", 0, 0))).unwrap();
    let saved: Saved = serde_json::from_str(&text).unwrap();
    let (rules, lost) = saved.carry(present, None);
    assert_eq!(rules.iter().count() + lost.len(), 1);
    let rule = rules.iter().next()?;
    let term = rule.term.unwrap();
    assert_eq!((rule.id.as_str(), term.lasts, term.by), ("a.example:22/ssh@10.77.0.7", 10 * MINUTE, 0));
    Some(term.ends.since(present.now).as_secs())
}

#[test]
fn in_the_same_boot_the_wall_clock_counts_for_nothing() {
    let years = 10 * 365 * 86_400;
    for set in [0, 5, -5, years, -years] {
        assert_eq!(left(&clocks("one", 240, set)), Some(360), "set by {set}");
        assert_eq!(left(&clocks("one", 600, set)), None);
        assert_eq!(left(&clocks("one", 6_000, set)), None);
    }
}

#[test]
fn in_another_boot_it_lasts_no_longer_than_asked_for_whatever_the_wall_clock_says() {
    let another = |after: u64, set: i64| {
        let clocks = clocks("another", after, set);
        // That clock begins anew.
        left(&Clocks { now: Moment::from_secs(7), ..clocks })
    };
    assert_eq!(another(240, 0), Some(360));
    assert_eq!(another(599, 0), Some(1));
    assert_eq!(another(600, 0), None);
    // Set forward: sooner over. Set back: never longer than it had, and not at all when its age is not known.
    assert_eq!(another(240, 300), Some(60));
    assert_eq!(another(240, 10_000), None);
    assert_eq!(another(240, -240), Some(600 - SAVE_EVERY.as_secs()));
    assert_eq!(another(240, -241), None);
    assert_eq!(another(0, -100_000), None);
    // Where nobody knows which boot it is, it is another.
    assert_eq!(left(&clocks("", 240, 0)), Some(360));
    let of_nobody = Saved::of(&list(&["a.example"]), &clocks("", 0, 0));
    let (rules, _) = of_nobody.carry(&clocks("", 10, -50), None);
    assert!(rules.is_empty());
}

#[test]
fn what_was_saved_is_read_as_strictly_as_what_is_asked_for() {
    let text = serde_json::to_string(&Saved::of(&list(&["a.example"]), &clocks("one", 0, 0))).unwrap();
    let carried = |from: &str, to: &str| {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        let saved: Saved = serde_json::from_str(&changed).unwrap();
        saved.carry(&clocks("one", 0, 0), None)
    };
    for (from, to) in
        [("a.example", "*.com"), ("a.example", "10.0.0.1"), ("\"port\":22", "\"port\":53"), ("\"ssh\"", "\"tls\"")]
    {
        let (rules, lost) = carried(from, to);
        assert!(rules.is_empty() && lost.len() == 1, "{to}: {rules:?}");
    }
    // Neither longer than it was asked for, nor than anything may be.
    for (from, to) in [
        ("\"ends_ms\":1060000", "\"ends_ms\":99999999999"),
        ("\"ends_ms\":1060000", "\"ends_ms\":18446744073709551615"),
    ] {
        let term = carried(from, to).0.iter().next().unwrap().term.unwrap();
        assert_eq!(term.ends, Moment::from_secs(START + 60));
    }
    let both = text
        .replace("\"ends_ms\":1060000", "\"ends_ms\":99999999999")
        .replace("\"for_ms\":60000", "\"for_ms\":99999999999");
    let saved: Saved = serde_json::from_str(&both).unwrap();
    let term = saved.carry(&clocks("one", 0, 0), None).0.iter().next().unwrap().term.unwrap();
    assert_eq!(term.ends, Moment::from_secs(START).after(LONGEST));
    for bad in ["", "{}", "[]", "{\"boot_id\":\"x\",\"wall_ms\":1,\"rules\":[{}]}"] {
        assert!(serde_json::from_str::<Saved>(bad).is_err(), "{bad}");
    }
}
