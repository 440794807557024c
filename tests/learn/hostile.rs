//! Events that somebody wrote to do harm: to the reader's terminal, to the policy, to this host's memory.

use decider::learn::{Base, Proposal, Seen, Settings, write};
use decider::model::{DomainName, Reason, RuleId, Who};
use decider::policy::load;
use decider::record::Event;

use crate::events::{CLIENT, lines, named, refused, unnamed};
use crate::played::policy;
use crate::stage::{Stage, rules, text};

/// What a terminal, YAML or `patch` might take for more than a text. Only the beginning of a text is shown.
const ODD: [&str; 3] = [
    "\u{1b}[31m\u{9b}m\u{202e}\u{fc}\u{feff}\t\0\u{7f}'\"`*&|>%@: \r\n",
    "x\n- { domain: evil.example, proto: ssh }\n",
    "\n--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n",
];

#[test]
fn texts_of_events_stay_within_their_comment() {
    for odd in ODD {
        stays_within_its_comment(odd);
    }
}

fn stays_within_its_comment(text_of_somebody: &str) {
    let odd = || Some(text_of_somebody.to_owned());
    let who = Who { uid: Some(1), pid: Some(1), exe: odd(), cgroup: odd() };
    let odd_event = |event: Event| Event {
        iface: odd(),
        mark: text_of_somebody.to_owned(),
        hint: odd(),
        who: who.clone(),
        ..event
    };
    let rule = Some(RuleId::new(text_of_somebody));
    let events = [
        odd_event(named(0, CLIENT, "a.example", "192.0.2.1", 22)),
        odd_event(unnamed(0, CLIENT, "192.0.2.2", 22)),
        Event { rule, ..odd_event(refused(Reason::DeniedByRule, named(0, CLIENT, "b.example", "192.0.2.3", 22))) },
        Event {
            proto: text_of_somebody.to_owned(),
            ..odd_event(refused(Reason::ProtoNotAllowed, unnamed(0, CLIENT, "192.0.2.4", 7)))
        },
        Event { proto: text_of_somebody.to_owned(), ..odd_event(named(0, CLIENT, "c.example", "192.0.2.4", 7)) },
        Event { iface: Some("lan0\", lo, \"".to_owned()), ..named(0, CLIENT, "a.example", "192.0.2.1", 22) },
        Event { iface: Some("*".to_owned()), ..named(0, CLIENT, "a.example", "192.0.2.1", 22) },
    ];
    let stage = Stage::with(&events);
    let proposed = stage.proposes(&[]);
    assert_eq!(rules(&proposed), ["{ domain: a.example, proto: ssh }"]);
    assert!(proposed.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{proposed:?}");
    let loaded = load(&proposed).unwrap().spec;
    assert_eq!((loaded.rules.len(), loaded.gateway.interfaces.len()), (1, 1), "{proposed}");
    stage.write(
        "policy.yaml",
        "version: 1\nintercept: { gateway: { interfaces: [lan0] } }\ndns: { resolvers: [192.0.2.53] }\nrules: []\n",
    );
    let output = stage.learn(&["--merge", "policy.yaml"]);
    let all = text(&output.stdout) + &text(&output.stderr);
    assert!(all.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{all:?}");
    assert_eq!(text(&output.stdout).matches("--- ").count(), 1);
}

#[test]
fn names_that_yaml_or_a_policy_takes_for_something_else_are_in_quotes_or_no_rule() {
    let names = ["null", "true", "-", "_", "-a.example", "1e3.example", "0x10", "0.example", "a.123", "y", "..a"];
    let events: Vec<Event> = names
        .iter()
        .filter(|name| DomainName::parse(name).is_ok())
        .map(|name| named(0, CLIENT, name, "192.0.2.1", 443))
        .collect();
    let answer = Stage::with(&events).json(&[]);
    let proposed = answer["policy"].as_str().unwrap();
    let spec = load(proposed).unwrap_or_else(|problems| panic!("{proposed}\n{problems:?}")).spec;
    assert_eq!(spec.rules.len() + 1, events.len(), "{proposed}");
    assert_eq!(answer["left_out"][0]["domain"], "a.123");
    // A name that is none is no event.
    for name in ["a b.example", "a\\nb.example", "*.example.com", "\\u001b[31m.example"] {
        let line = lines(&[named(0, CLIENT, "a.example", "192.0.2.1", 22)]);
        let stage = Stage::new();
        stage.write("events.jsonl", format!("{line}{line}{}", line.replace("a.example", name)));
        let output = stage.learn(&[]);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()));
        assert!(
            text(&output.stderr).starts_with("error: events.jsonl, line 3: this is no event"),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn long_names_and_many_ports_get_an_id_and_a_scan_is_no_rule() {
    let long = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(57) + ".org"].join(".");
    let mut events: Vec<Event> =
        (1..=20).map(|port| named(0, CLIENT, "many.example", "192.0.2.1", 10_000 + port)).collect();
    events.push(named(0, CLIENT, &long, "192.0.2.2", 443));
    events
        .extend((1..=2000).filter(|port| *port != 53).map(|port| named(0, CLIENT, "scan.example", "192.0.2.3", port)));
    let stage = Stage::with(&events);
    let proposed = stage.proposes(&[]);
    let rules = rules(&proposed);
    assert!(
        rules[0].starts_with("{ id: learned-1, domain: many.example, proto: tcp, port: [10001, 10002,"),
        "{rules:?}"
    );
    assert_eq!(rules[1..], [format!("{{ id: learned-2, domain: {long}, proto: tcp, port: 443 }}")]);
    assert!(proposed.contains("#   scan.example: 1999 times audited"), "{proposed}");
    assert_eq!(self::rules(&stage.proposes(&["port:22"])), ["{ domain: scan.example, proto: ssh }"]);
}

/// A million different ones: names, addresses, ports, clients, programs, other names, as long as can be.
#[test]
fn what_is_kept_is_bounded_whatever_comes() {
    let mut proposal = None;
    let used = allocation_counter::measure(|| {
        let mut seen = Seen::new();
        for number in 0..300_000_u32 {
            let label = format!("{number:063}");
            let name = [&*label, &"x".repeat(63), &"y".repeat(63), &"z".repeat(50), "example"].join(".");
            let client = format!("fd00::{:x}:{:x}", number >> 16, number & 0xffff);
            let port = u16::try_from(number % 60_000 + 60).unwrap();
            let dst = format!("2001:db8::{:x}:{:x}", number >> 16, number & 0xffff);
            let event = match number % 3 {
                0 => named(i64::from(number), &client, &name, &dst, port),
                1 => unnamed(i64::from(number), &client, &dst, port),
                _ => named(i64::from(number), &client, "same.example", &dst, port),
            };
            let also = (0..8).map(|other| DomainName::parse(&format!("o{other}.{label}.example")).unwrap()).collect();
            let who = Who { exe: Some(format!("/{}{number}", "p".repeat(2000))), ..Who::default() };
            seen.look_at(&Event {
                also,
                who,
                iface: Some(format!("{number}").repeat(100)),
                repeated: Some(u64::MAX),
                ..event
            });
        }
        proposal = Some(Proposal::of(&seen, None, 3));
    });
    assert!(used.bytes_max < 96 << 20, "{} MiB", used.bytes_max >> 20);
    let proposal = proposal.unwrap();
    assert_eq!((proposal.decisions, proposal.not_kept), (u64::MAX, u64::MAX));
    assert!(proposal.left_out.len() <= 2 * 256 && !proposal.beyond.is_empty());
    assert!(proposal.rules.len() > 1000);
}

#[test]
fn more_names_than_a_policy_holds_are_counted() {
    let mut seen = Seen::new();
    for number in 0..20_000 {
        seen.look_at(&named(0, CLIENT, &format!("n{number}.org"), "192.0.2.1", 443));
    }
    let head = Settings::new(&seen, &[]).yaml();
    let made = policy(&head);
    let proposal = Proposal::of(&seen, Some(&Base { policy: &made, keeps_rules: false, says_upstream: false }), 3);
    assert_eq!((proposal.rules.len(), proposal.not_kept), (8192, 20_000 - 8192));
    let text = write(&head, &proposal).unwrap();
    assert_eq!(load(&text).unwrap().spec.rules.len(), 8192);
    assert!(text.contains("WARNING: 11808 decisions about further names are not in this"));
}
