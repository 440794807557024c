//! docs/policy.md against the code: the same keys, the same problems, and policies that work.

use std::collections::BTreeSet;
use std::fs;

use decider::policy::{Code, Colour, SECTIONS, Severity, load, load_bytes, render_diagnostics};

use crate::{accepted, path, policies};

pub fn document() -> String {
    fs::read_to_string(path("docs/policy.md")).unwrap()
}

/// What stands below a heading, up to the next one as high.
pub fn part<'t>(text: &'t str, heading: &str) -> &'t str {
    let (_, rest) = text.split_once(heading).unwrap_or_else(|| panic!("no heading {heading:?}"));
    rest.split("\n## ").next().unwrap()
}

/// The rows of its tables whose first cell is a word in backticks, cell by cell.
pub fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

pub fn word(cell: &str) -> &str {
    cell.trim_matches('`')
}

#[test]
fn every_key_is_documented_and_no_other() {
    let text = document();
    let rows = rows(part(&text, "\n## Keys\n"));
    let documented: Vec<&str> = rows.iter().map(|row| word(row[0])).collect();
    let mut wanted = BTreeSet::new();
    for section in SECTIONS {
        for key in section.keys {
            let dot = if section.path.is_empty() { "" } else { "." };
            wanted.insert(format!("{}{dot}{key}", section.path));
        }
    }
    let found: BTreeSet<String> = documented.iter().map(|key| (*key).to_owned()).collect();
    assert_eq!(found, wanted);
    assert_eq!(documented.len(), found.len(), "a key is documented twice");
    for row in rows {
        assert!(row[1..4].iter().all(|cell| !cell.is_empty()), "meaning, default or values missing: {row:?}");
    }
}

#[test]
fn every_later_part_is_named() {
    let text = document();
    let later = part(&text, "\n### Not in this version\n");
    for section in SECTIONS {
        for (key, _) in section.later {
            assert!(later.contains(&format!("`{key}`")), "{key}");
        }
    }
}

#[test]
fn every_problem_is_documented_in_the_words_of_the_code() {
    let text = document();
    let documented: Vec<(&str, &str)> =
        rows(part(&text, "\n## Problems\n")).iter().map(|row| (word(row[0]), row[1])).collect();
    let wanted: Vec<(&str, &str)> = Code::ALL.iter().map(|code| (code.as_str(), code.meaning())).collect();
    assert_eq!(documented, wanted);
}

#[test]
fn warnings_are_told_from_errors() {
    let seen: BTreeSet<&str> = policies("policy/broken")
        .iter()
        .flat_map(|(_, bytes)| match load_bytes(bytes) {
            Ok(loaded) => loaded.warnings,
            Err(problems) => problems,
        })
        .filter(|problem| problem.severity == Severity::Warning)
        .map(|problem| problem.code.as_str())
        .collect();
    let text = document();
    let (_, sentence) = part(&text, "\n## Problems\n").split_once("A warning (").unwrap();
    let documented: BTreeSet<&str> = sentence.split_once(')').unwrap().0.split(", ").map(word).collect();
    assert_eq!(documented, seen);
}

#[test]
fn every_policy_in_the_documents_works() {
    let mut count = 0;
    for document in ["docs/policy.md", "README.md"] {
        let text = fs::read_to_string(path(document)).unwrap();
        for block in text.split("```yaml\n").skip(1) {
            accepted(block.split("```").next().unwrap());
            count += 1;
        }
    }
    assert!(count >= 3, "only {count} policies");
}

#[test]
fn the_problem_that_is_shown_is_what_check_says() {
    let policy = "version: 1\n# clients\nintercept:\n  gateway: { networks: [10.77.1.5/24], interfaces: [lan0] }\n\
                  dns: { resolvers: [192.0.2.53] }\nrules: [{ domain: github.com, proto: ssh }]\n";
    let problems = load(policy).unwrap_err();
    let shown = render_diagnostics("policy.yaml", policy, &problems, Colour::Off);
    assert!(document().contains(&shown), "{shown}");
}
