//! What later versions enforce is refused by this one, in words that say so: nothing is ever left out silently.

use decider::policy::{Code, SECTIONS};

use crate::{FULL, refused, with_rules};

/// Rules that need what this version does not have, and the part that the problem is shown at.
const RULES: &[(&str, &str)] = &[
    ("{ domain: 192.0.2.7, proto: ssh }", "192.0.2.7"),
    ("{ domain: 192.0.2.0/24, proto: ssh }", "192.0.2.0/24"),
    ("{ domain: \"2001:db8::7\", proto: ssh }", "\"2001:db8::7\""),
    ("{ domain: \"2001:db8::/32\", proto: ssh }", "\"2001:db8::/32\""),
    ("{ network: 192.0.2.0/24, proto: ssh }", "network"),
    ("{ network: \"2001:db8::/32\", proto: ssh }", "network"),
    ("{ domain: a.example.com, network: 192.0.2.0/24, proto: ssh }", "network"),
    ("{ domain: a.example.com, proto: tls }", "tls"),
    ("{ domain: a.example.com, proto: https }", "https"),
    ("{ domain: a.example.com, proto: http }", "http"),
    ("{ domain: a.example.com, proto: udp, port: 123 }", "udp"),
    ("{ domain: a.example.com, proto: icmp }", "icmp"),
    ("{ domain: a.example.com, proto: ssh, deliver: direct }", "deliver"),
    ("{ domain: a.example.com, proto: ssh, deliver: envoy }", "deliver"),
    ("{ domain: a.example.com, proto: ssh, deliver: { table: 51820 } }", "deliver"),
];

#[test]
fn rules_of_later_versions_are_refused_where_they_say_so() {
    for (rule, part) in RULES {
        let text = with_rules(&["{ domain: github.com, proto: ssh }", rule]);
        let problems = refused(&text);
        let found: Vec<_> = problems.iter().filter(|problem| problem.code == Code::NotSupportedYet).collect();
        assert_eq!(found.len(), 1, "{rule}: {problems:#?}");
        assert!(found[0].message.ends_with("not supported yet"), "{}", found[0].message);
        assert!(found[0].help.is_some(), "{rule}");
        let place = found[0].place;
        let line = text.lines().nth(place.line - 1).unwrap();
        assert_eq!(&line[place.column - 1..place.end_column - 1], *part, "{rule}");
        assert_eq!(problems.len(), 1, "{rule}: one problem, told once: {problems:#?}");
    }
}

#[test]
fn sections_of_later_versions_are_refused_where_they_say_so() {
    let top = |line: &str| format!("{FULL}{line}\n");
    for text in [top("include: [more/*.yaml]"), top("sets: { hosts: [a.example.com] }")] {
        let line = text.lines().count();
        let problems = refused(&text);
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert_eq!((problems[0].code, problems[0].place.line), (Code::NotSupportedYet, line));
    }
}

/// What neither this version nor a planned one has.
#[test]
fn no_key_is_ignored_anywhere() {
    for section in SECTIONS {
        let parent = section.path.rsplit('.').next().unwrap();
        let text = match parent {
            "" => format!("{FULL}surprise: 1\n"),
            "rules[]" => FULL.replace("    proto: tcp\n", "    proto: tcp\n    surprise: 1\n"),
            parent => {
                let below = if parent == "gateway" { "    surprise" } else { "  surprise" };
                let text = FULL.replace(&format!("{parent}:\n"), &format!("{parent}:\n{below}: 1\n"));
                text.replace(&format!("{parent}: {{"), &format!("{parent}: {{ surprise: 1,"))
            }
        };
        // Keys in one mapping share their indentation; those of `gateway` are below it.
        let problems = refused(&text);
        assert_eq!(problems.len(), 1, "{}: {problems:#?}", section.path);
        assert_eq!(problems[0].code, Code::UnknownKey);
        assert!(text.lines().nth(problems[0].place.line - 1).unwrap().contains("surprise"));
    }
}
