use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::learn::{self, Learned, LeftOut, Proposal, Why};
use crate::model::Reason;

use crate::cli::{output, style};

/// The answer of `learn --json`.
#[derive(Serialize)]
pub struct Report<'a> {
    decisions: u64,
    known: u64,
    rules: &'a [Learned],
    left_out: &'a [LeftOut],
    beyond: &'a BTreeMap<Why, u64>,
    not_kept: u64,
    ignored: &'a BTreeMap<Reason, u64>,
    /// The whole policy, where none is to be merged with.
    policy: Option<&'a str>,
    /// What a policy lacks; empty if that is nothing.
    diff: Option<&'a str>,
}

impl<'a> Report<'a> {
    pub fn policy(proposal: &'a Proposal, text: &'a str) -> Self {
        Self { policy: Some(text), ..Self::of(proposal) }
    }

    pub fn diff(proposal: &'a Proposal, text: &'a str) -> Self {
        Self { diff: Some(text), ..Self::of(proposal) }
    }

    fn of(proposal: &'a Proposal) -> Self {
        Self {
            decisions: proposal.decisions,
            known: proposal.known,
            rules: &proposal.rules,
            left_out: &proposal.left_out,
            beyond: &proposal.beyond,
            not_kept: proposal.not_kept,
            ignored: &proposal.ignored,
            policy: None,
            diff: None,
        }
    }
}

/// Prints a diff, for `patch` and for people.
pub fn print_diff(diff: &str) -> io::Result<()> {
    output::write(|out| {
        diff.split_inclusive('\n').try_for_each(|line| {
            let style = match line.as_bytes() {
                [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => style::STRONG,
                [b'+', ..] => style::GOOD,
                [b'-', ..] => style::BAD,
                [b'@', ..] => style::FAINT,
                _ => anstyle::Style::new(),
            };
            write!(out, "{style}{line}{style:#}")
        })
    })
}

/// Says what no rule is proposed for: in full where the output is a diff, which has no place for it.
pub fn note_left_out(proposal: &Proposal, in_full: bool) {
    let warn = style::WARN;
    if in_full {
        for line in learn::left_out(proposal) {
            output::note(line.trim_start_matches('#').trim_start_matches(' '));
        }
        return;
    }
    let unnamed = proposal.left_out.iter().filter(|left_out| left_out.place.why == Why::NoName).count();
    if unnamed > 0 {
        let places = output::count(unnamed, "destination");
        let are = if unnamed == 1 { "is" } else { "are" };
        output::note(format_args!(
            "{warn}note{warn:#}: {places} without a name {are} no rule: see the comments at the end"
        ));
    }
    if proposal.not_kept > 0 {
        let decisions = output::count(usize::try_from(proposal.not_kept).unwrap_or(usize::MAX), "decision");
        output::note(format_args!("{warn}note{warn:#}: {decisions} about further names did not fit: use a FILTER"));
    }
}
