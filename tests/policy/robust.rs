//! Whatever is in a file: an answer, never a panic, and problems at places that the file has.

use decider::policy::{Colour, Diagnostic, Place, load_bytes, render_diagnostics};
use proptest::prelude::*;

use crate::{FULL, policies};

/// Reads the bytes, shows what is wrong with them, and looks whether its places are in the file.
fn read(bytes: &[u8]) {
    let found = match load_bytes(bytes) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a problem");
            problems
        }
    };
    let text = String::from_utf8_lossy(bytes);
    for problem in &found {
        assert_within(problem.place, &text, problem);
        if let Some(related) = &problem.related {
            assert_within(related.place, &text, problem);
        }
        assert!(!problem.message.contains(char::is_control), "{problem:?}");
    }
    let order: Vec<_> = found.iter().map(|problem| problem.place).collect();
    assert!(order.is_sorted(), "{found:#?}");
    let shown = render_diagnostics("policy.yaml", &text, &found, Colour::Off);
    assert_eq!(shown.is_empty(), found.is_empty());
}

fn assert_within(place: Place, text: &str, problem: &Diagnostic) {
    let lines: Vec<&str> = text.split('\n').collect();
    assert!(place.line >= 1 && place.line <= lines.len(), "{problem:?}\n{text}");
    let length = lines[place.line - 1].chars().count();
    // One behind the end is where something is missing.
    assert!(place.column >= 1 && place.column <= length + 1, "{problem:?}\n{text}");
    assert!(place.end_column > place.column && place.end_column <= length + 2, "{problem:?}\n{text}");
}

/// Valid files and broken ones, to be changed a little.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> =
        ["policy/examples", "policy/broken"].iter().flat_map(|folder| policies(folder)).map(|(_, text)| text).collect();
    seeds.push(FULL.into());
    seeds
}

/// What YAML and its readers stumble over.
const PIECES: &[&str] = &[
    "\t",
    "\r",
    "\r\n",
    "\n",
    "\0",
    " ",
    ":",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "#",
    "&a ",
    "*a",
    "!!int ",
    "? ",
    "| ",
    ">-\n",
    "\"",
    "'",
    "\\",
    "%YAML 1.2\n",
    "---\n",
    "...\n",
    "<<: ",
    "~",
    "\u{feff}",
    "\u{202e}",
    "\u{85}",
    "\u{2028}",
    "\u{1f600}",
    "\u{fc}",
    "0x",
    "9999999999999999999999",
    "\u{1b}[31m",
];

#[derive(Clone, Debug)]
enum Change {
    Remove { at: usize, length: usize },
    Insert { at: usize, piece: usize },
    Replace { at: usize, byte: u8 },
    Repeat { at: usize, length: usize },
    Cut { at: usize },
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<usize>(), 1..40_usize).prop_map(|(at, length)| Change::Remove { at, length }),
        (any::<usize>(), 0..PIECES.len()).prop_map(|(at, piece)| Change::Insert { at, piece }),
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Change::Replace { at, byte }),
        (any::<usize>(), 1..80_usize).prop_map(|(at, length)| Change::Repeat { at, length }),
        any::<usize>().prop_map(|at| Change::Cut { at }),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let within = |at: usize| at % (bytes.len() + 1);
    match *change {
        Change::Remove { at, length } => {
            let at = within(at);
            let end = (at + length).min(bytes.len());
            bytes.drain(at..end);
        }
        Change::Insert { at, piece } => {
            let at = within(at);
            bytes.splice(at..at, PIECES[piece].bytes());
        }
        Change::Replace { at, byte } => {
            let at = within(at);
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        Change::Repeat { at, length } => {
            let at = within(at);
            let piece = bytes[at..(at + length).min(bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        Change::Cut { at } => {
            let at = within(at);
            bytes.truncate(at);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_file_that_was_damaged_is_answered(
        seed in prop::sample::select(seeds()),
        changes in prop::collection::vec(change(), 1..8),
    ) {
        let mut bytes = seed;
        for change in &changes {
            apply(&mut bytes, change);
        }
        read(&bytes);
    }

    #[test]
    fn random_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes);
    }

    #[test]
    fn random_yaml_is_answered(pieces in prop::collection::vec(0..PIECES.len() * 2, 0..60)) {
        let words = ["rules", "dns", "domain", "github.com", "ssh", "intercept", "version", "1"];
        let text: String = pieces
            .iter()
            .map(|&piece| PIECES.get(piece).copied().unwrap_or_else(|| words[piece % words.len()]))
            .collect();
        read(text.as_bytes());
    }
}

#[test]
fn a_file_that_ends_anywhere_is_answered() {
    for end in 0..FULL.len() {
        read(&FULL.as_bytes()[..end]);
    }
}
