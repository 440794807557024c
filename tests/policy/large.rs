//! Files that are larger than any policy, and the largest that are one.

use std::fmt::Write;

use decider::policy::{Code, MAX_BYTES, load, load_bytes};

use crate::{accepted, codes, refused, with, with_rules};

/// As many rules as asked for, each for a host of its own.
fn rules(count: usize) -> String {
    let mut text = with_rules(&[]);
    for index in 0..count {
        writeln!(text, "  - {{ domain: h{index}.example.com, proto: ssh }}").unwrap();
    }
    text
}

#[test]
fn there_are_as_many_rules_as_marks() {
    // 14 bits: three quarters of their values are listeners', the last of them decider's own.
    assert_eq!(accepted(&rules(12_287)).rules.len(), 12_287);
    let problems = refused(&rules(12_288));
    assert_eq!(codes(&problems), [Code::NoRoom]);
    assert!(problems[0].message.contains("12287") && problems[0].message.contains("12288"), "{}", problems[0].message);
}

#[test]
fn a_smaller_mask_has_room_for_fewer_rules_and_denials_need_none() {
    let small = |count| rules(count).replace("rules:", "marks: { mask: 0x8421 }\nrules:");
    accepted(&small(11));
    let problems = refused(&small(12));
    assert_eq!(codes(&problems), [Code::NoRoom]);
    assert_eq!(problems[0].place.line, 4, "the mask is what has to change");
    let denial = "  - { domain: denied.example.com, proto: ssh, action: deny }\n";
    accepted(&format!("{}{denial}", small(11)));
}

#[test]
fn there_are_as_many_rules_as_ports_above_the_first() {
    let high = |count| rules(count).replace("rules:", "envoy: { first_port: 65535 }\nrules:");
    accepted(&high(1));
    let problems = refused(&high(2));
    assert_eq!(codes(&problems), [Code::NoRoom]);
    assert!(problems[0].help.as_ref().unwrap().contains("envoy.first_port"));
}

#[test]
fn four_mebibytes_are_read_and_no_byte_more() {
    let mut text = with_rules(&["{ domain: github.com, proto: ssh }"]);
    while text.len() < MAX_BYTES {
        let left = MAX_BYTES - text.len();
        writeln!(text, "#{}", "x".repeat(left.saturating_sub(2).min(100))).unwrap();
    }
    text.truncate(MAX_BYTES);
    accepted(&text);
    assert_eq!(codes(&refused(&format!("{text}#"))), [Code::TooLarge]);
    assert_eq!(codes(&load_bytes(format!("{text}#").as_bytes()).unwrap_err()), [Code::TooLarge]);
    // Not even looked at: it is not text.
    assert_eq!(codes(&load_bytes(&vec![0xff; MAX_BYTES + 1]).unwrap_err()), [Code::TooLarge]);
}

#[test]
fn a_million_values_are_the_most() {
    let text = with_rules(&[]).replace("rules:\n", &format!("rules: [{}]\n", "a,".repeat(1_100_000)));
    assert_eq!(codes(&refused(&text)), [Code::TooLarge]);
}

type Entry = fn(usize) -> String;

#[test]
fn lists_are_bounded() {
    let many = |count: usize, entry: Entry| format!("[{}]", (0..count).map(entry).collect::<Vec<_>>().join(", "));
    let bounds: [(&str, usize, Entry); 4] = [
        ("port", 4096, |index| (1000 + index).to_string()),
        ("interfaces", 256, |index| format!("if{index}")),
        ("networks", 256, |index| format!("10.{index}.0.0/{}", if index < 256 { 16 } else { 8 })),
        ("resolvers", 16, |index| format!("192.0.2.{index}")),
    ];
    for (key, most, entry) in bounds {
        accepted(&with(key, &many(most, entry)));
        let problems = refused(&with(key, &many(most + 1, entry)));
        assert_eq!(codes(&problems), [Code::TooMany], "{key}");
        assert!(problems[0].message.contains(&most.to_string()), "{}", problems[0].message);
    }
}

#[test]
fn keys_are_bounded() {
    let mut text = with_rules(&["{ domain: github.com, proto: ssh }"]);
    for index in 0..100 {
        writeln!(text, "key{index}: 1").unwrap();
    }
    let problems = refused(&text);
    assert!(codes(&problems).contains(&Code::TooMany));
}

#[test]
fn of_thousands_of_problems_the_first_are_shown_and_the_rest_counted() {
    let text = rules(2000).replace("proto: ssh", "proto: shh");
    let problems = refused(&text);
    assert_eq!(problems.len(), 501);
    let last = problems.last().unwrap();
    assert_eq!(last.code, Code::TooManyProblems);
    assert!(last.message.contains("1500"), "{}", last.message);
    assert_eq!(problems[0].place.line, 5);
}

#[test]
fn nesting_is_bounded_however_deep_it_is() {
    for depth in [17, 255, 256, 1000, 100_000] {
        for (open, close) in [("[", "]"), ("{a: ", "}")] {
            let text = format!("rules: {}1{}\n", open.repeat(depth), close.repeat(depth));
            assert_eq!(codes(&refused(&text)), [Code::TooDeep], "{depth} times {open}");
        }
        let blocks =
            (0..depth.min(1000)).map(|level| format!("{}a:\n", " ".repeat(level))).collect::<Vec<_>>().concat();
        assert_eq!(codes(&refused(&blocks)), [Code::TooDeep], "{depth} blocks");
        assert_eq!(codes(&refused(&format!("{}1\n", "- ".repeat(depth)))), [Code::TooDeep], "{depth} dashes");
    }
}

#[test]
fn a_long_line_is_shown_in_part() {
    let text = with_rules(&[&format!("{{ domain: a.example.com, proto: ssh, {}: 1 }}", "long".repeat(100_000))]);
    let problems = load(&text).unwrap_err();
    let shown = decider::policy::render_diagnostics("p.yaml", &text, &problems, decider::policy::Colour::Off);
    assert!(shown.len() < 4000, "{} bytes", shown.len());
}
