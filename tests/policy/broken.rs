//! Each file in policy/broken with exactly the problems that stand beside it.
//!
//! After a change of words: `DECIDER_REWRITE=1 cargo test --test policy broken`, then read the difference.

use std::collections::BTreeSet;
use std::fs;

use decider::policy::{Code, Colour, load_bytes, render_diagnostics};

use crate::{path, policies};

const FOLDER: &str = "policy/broken";

#[test]
fn every_broken_policy_gives_the_problems_beside_it() {
    let rewrite = std::env::var_os("DECIDER_REWRITE").is_some();
    let mut wrong = Vec::new();
    let files = policies(FOLDER);
    assert!(files.len() >= 35, "only {} files", files.len());
    for (name, bytes) in files {
        let found = match load_bytes(&bytes) {
            Ok(loaded) => loaded.warnings,
            Err(problems) => problems,
        };
        assert!(!found.is_empty(), "{name} has no problem");
        let text = String::from_utf8_lossy(&bytes);
        let rendered = render_diagnostics(&name, &text, &found, Colour::Off) + "\n";
        let beside = path(FOLDER).join(&name).with_extension("expected");
        if rewrite {
            fs::write(&beside, &rendered).unwrap();
        } else if fs::read_to_string(&beside).unwrap_or_default() != rendered {
            wrong.push(format!("{name} gives\n{rendered}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Problems whose file would be too large to keep; `large.rs` has them.
const ELSEWHERE: &[Code] = &[Code::TooLarge, Code::TooManyProblems];

#[test]
fn every_code_has_a_file_that_shows_it() {
    let seen: BTreeSet<Code> = policies(FOLDER)
        .iter()
        .flat_map(|(_, bytes)| match load_bytes(bytes) {
            Ok(loaded) => loaded.warnings,
            Err(problems) => problems,
        })
        .map(|problem| problem.code)
        .collect();
    let unseen: Vec<Code> =
        Code::ALL.iter().copied().filter(|code| !seen.contains(code) && !ELSEWHERE.contains(code)).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}
