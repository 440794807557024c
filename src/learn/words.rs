use std::fmt::{Display, Write as _};

use jiff::Timestamp;

use crate::model::DomainName;

use super::evidence::Evidence;
use super::few::Few;
use super::left_out::{LeftOut, Why};
use super::rule::Learned;

/// Columns of a comment, as far as words can be parted.
const WIDTH: usize = 96;
/// Clients and programs that are named.
const NAMED: usize = 3;
/// Names of a wildcard that are named.
const NAMES: usize = 8;

/// What stands behind a rule, in lines of a comment.
pub fn of_rule(rule: &Learned) -> Vec<String> {
    let mut lines = Vec::new();
    if !rule.names.is_empty() {
        let names: Vec<&str> = rule.names.iter().take(NAMES).map(DomainName::as_str).collect();
        let more = rule.names.len() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        lines.extend(comment(&format!("{} names: {}{more}", rule.names.len(), names.join(", "))));
    }
    let ports: Vec<String> = rule.times_by_port.iter().map(|(port, times)| format!("{port}={times}")).collect();
    lines.extend(comment(&evidence(&rule.evidence)));
    if ports.len() > 1 {
        lines.extend(comment(&format!("times a port: {}", ports.join(", "))));
    }
    if rule.evidence.expired > 0 {
        lines.extend(comment(&format!(
            "{} of them came after the lookup had expired: refused until the client looks the name up again",
            rule.evidence.expired
        )));
    }
    if !rule.ambiguous_with.is_empty() {
        let others: Vec<&str> = rule.ambiguous_with.iter().map(DomainName::as_str).collect();
        lines.extend(comment(&format!(
            "AMBIGUOUS: each address of it was also one of {}; that may have been meant",
            others.join(", ")
        )));
    }
    lines
}

/// A place that is left out, in lines of a comment.
pub fn of_place(left_out: &LeftOut) -> Vec<String> {
    let LeftOut { place, evidence: found } = left_out;
    let name = place.domain.as_ref().map(ToString::to_string);
    let mut text = name.or(place.dst.map(|dst| dst.to_string())).unwrap_or_else(|| "no name".to_owned());
    if let Some(port) = place.port {
        let _ = write!(text, " port {port}");
    }
    if place.proto != "tcp" && place.why != Why::OtherResolver {
        let _ = write!(text, " {}", place.proto);
    }
    if let Some(rule) = &place.rule {
        let _ = write!(text, " (rule {rule})");
    }
    comment(&format!("  {text}: {}", evidence(found)))
}

/// How often, by whom, when.
pub fn evidence(evidence: &Evidence) -> String {
    let programs = few(&evidence.programs);
    let by = if programs.is_empty() { String::new() } else { format!(" by {programs}") };
    format!(
        "{}{} from {}{by}, {}",
        count(evidence.times(), "time"),
        verdicts(evidence),
        few(&evidence.clients),
        span(evidence.first, evidence.last)
    )
}

/// Of several kinds each with its number, of one kind its word.
fn verdicts(evidence: &Evidence) -> String {
    let kinds = [(evidence.allowed, "allowed"), (evidence.audited, "audited"), (evidence.refused, "refused")];
    let kinds: Vec<_> = kinds.into_iter().filter(|(count, _)| *count > 0).collect();
    match kinds.as_slice() {
        [] => String::new(),
        [(_, word)] => format!(" {word}"),
        several => {
            let several: Vec<String> = several.iter().map(|(count, word)| format!("{count} {word}")).collect();
            format!(" ({})", several.join(", "))
        }
    }
}

fn few<T: Ord + Display>(few: &Few<T>) -> String {
    let named: Vec<String> = few.kept().take(NAMED).map(ToString::to_string).collect();
    let more = few.kept().len() - named.len();
    match (more, few.is_cut()) {
        (0, _) => named.join(", "),
        (more, false) => format!("{} and {more} more", named.join(", ")),
        (more, true) => format!("{} and more than {more} more", named.join(", ")),
    }
}

/// From one moment to another, to the minute.
pub fn span(first: Timestamp, last: Timestamp) -> String {
    let day = |moment: Timestamp| moment.strftime("%Y-%m-%d").to_string();
    let time = |moment: Timestamp| moment.strftime("%H:%M").to_string();
    let begin = format!("{} {}", day(first), time(first));
    if day(first) != day(last) {
        return format!("{begin} to {} {} UTC", day(last), time(last));
    }
    if time(first) == time(last) { format!("{begin} UTC") } else { format!("{begin} to {} UTC", time(last)) }
}

/// `1 rule`, `2 rules`.
pub fn count(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// Words as lines of a comment. Blanks in front stand in front of each line.
pub fn comment(text: &str) -> Vec<String> {
    let blanks = text.len() - text.trim_start().len();
    let begin = format!("# {}", " ".repeat(blanks));
    let mut lines = Vec::new();
    let mut line = begin.clone();
    for word in text.split_whitespace() {
        if line.len() > begin.len() {
            if line.len() + 1 + word.len() > WIDTH {
                lines.push(std::mem::replace(&mut line, format!("{begin}  ")));
            } else {
                line.push(' ');
            }
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
