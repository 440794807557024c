use crate::policy::{Entry, with_rules};

use super::left_out::Why;
use super::proposal::Proposal;
use super::words;

/// Places of one cause that are listed.
const LISTED: usize = 50;

/// The rules as they go into a policy, each with what stands behind it.
#[must_use]
pub fn entries(proposal: &Proposal) -> Vec<Entry> {
    let rules = proposal.rules.iter();
    rules.map(|rule| Entry { comment: words::of_rule(rule), rule: rule.yaml() }).collect()
}

/// A whole policy: what `head` says, which is a policy without rules, and the rules; what is left out stands at the end, as
/// comments. None if `head` is no policy.
#[must_use]
pub fn write(head: &str, proposal: &Proposal) -> Option<String> {
    let mut text = format!("# {}\n# Read it before you use it.\n", title(proposal));
    text.push_str(&with_rules(head, &entries(proposal))?);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let left_out = left_out(proposal);
    if !left_out.is_empty() {
        text.push('\n');
    }
    for line in left_out {
        text.push_str(&line);
        text.push('\n');
    }
    Some(text)
}

fn title(proposal: &Proposal) -> String {
    let decisions = words::count(proposal.decisions, "decision");
    let when = proposal.span.as_ref().map(|span| format!(", {}", words::span(span.first, span.last)));
    format!("Proposed by `decider learn` from {decisions}{}.", when.unwrap_or_default())
}

/// What is left out, and why, as lines of comments.
#[must_use]
pub fn left_out(proposal: &Proposal) -> Vec<String> {
    let mut lines = Vec::new();
    for &why in Why::ALL {
        let places: Vec<_> = proposal.left_out.iter().filter(|left_out| left_out.place.why == why).collect();
        if places.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push("#".to_owned());
        }
        lines.extend(words::comment(&format!("{}: {}", heading(why), why.meaning())));
        lines.extend(places.iter().take(LISTED).flat_map(|place| words::of_place(place)));
        let more = places.len().saturating_sub(LISTED);
        let beyond = proposal.beyond.contains_key(&why);
        if more > 0 || beyond {
            let than = if beyond { "more than " } else { "" };
            lines.extend(words::comment(&format!("  and {than}{more} more")));
        }
    }
    if proposal.not_kept > 0 {
        lines.extend(words::comment(&format!(
            "WARNING: {} about further names are not in this: there are too many names for one policy.",
            words::count(proposal.not_kept, "decision")
        )));
    }
    lines
}

/// What is refused on purpose needs nobody's attention.
fn heading(why: Why) -> &'static str {
    match why {
        Why::NoName | Why::PrivateAddress | Why::ManyPorts | Why::OddName | Why::OtherResolver | Why::EncryptedDns => {
            "WARNING, left out"
        }
        Why::Denied | Why::Question | Why::OtherProtocol | Why::LocalService => "Left out",
    }
}
