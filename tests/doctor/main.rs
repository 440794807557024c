//! What `decider doctor` says of a host: facts that give a finding, and facts that do not.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod facts;
mod host;
mod kernel;
mod rulesets;

use decider::doctor::{Facts, Finding, Level, examine};

/// Facts that are not as they should be, and what has to be said of them: check, how bad, a word of what, a word of what mends it.
type Case = (&'static str, fn(&mut Facts), Level, &'static str, &'static str);

fn finding(facts: &Facts, name: &str) -> Finding {
    let found: Vec<Finding> = examine(facts).into_iter().filter(|finding| finding.name == name).collect();
    let worst = found.iter().max_by_key(|finding| finding.level);
    worst.unwrap_or_else(|| unreachable!("nothing is said of {name}")).clone()
}

/// Each is said of the facts that give it, and not of those of a host where all is well.
fn check(cases: &[Case]) {
    for (name, change, level, what, fix) in cases {
        let mut facts = facts::well();
        assert_eq!(finding(&facts, name).level, Level::Ok, "{name}");
        change(&mut facts);
        let found = finding(&facts, name);
        assert_eq!(found.level, *level, "{found:?}");
        assert!(found.what.contains(what), "no {what:?} in {found:?}");
        assert!(found.fix.clone().unwrap_or_default().contains(fix), "no {fix:?} in {found:?}");
    }
}

#[test]
fn where_all_is_well_nothing_else_is_said() {
    for finding in examine(&facts::well()) {
        assert_eq!((finding.level, &finding.fix), (Level::Ok, &None), "{finding:?}");
    }
}

#[test]
fn each_check_has_one_name_and_a_sentence() {
    let findings = examine(&facts::well());
    for (index, finding) in findings.iter().enumerate() {
        assert!(findings[..index].iter().all(|earlier| earlier.name != finding.name), "{} twice", finding.name);
        assert!(finding.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._".contains(c)));
        assert!(!finding.what.is_empty() && !finding.what.ends_with('.'), "{finding:?}");
    }
}
