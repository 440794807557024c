use super::node::{Kind, Node};
use super::parse;
use super::problems::Problems;

/// A rule as it is to be written into a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Lines in front of it, each with its `#`.
    pub comment: Vec<String>,
    /// The rule itself on one line: `{ domain: github.com, proto: ssh }`.
    pub rule: String,
}

/// A policy's text with more rules behind those that it has; every other byte stays. None if the text is no policy.
#[must_use]
pub fn with_rules(text: &str, entries: &[Entry]) -> Option<String> {
    if entries.is_empty() {
        return Some(text.to_owned());
    }
    let problems = Problems::new(text);
    let root = parse::parse(text, &problems)?;
    let rules = rules(&root)?;
    let Kind::List(items) = &rules.kind else { return None };
    let is_flow = text.get(rules.span.start..)?.starts_with('[');
    let root_is_flow = text.get(root.span.start..)?.starts_with('{');
    match items.last() {
        None if root_is_flow => in_brackets(text, rules, entries),
        Some(_) if is_flow => in_brackets(text, rules, entries),
        None => in_place_of_brackets(text, rules, entries),
        Some(last) => behind_the_last(text, rules, last, entries),
    }
}

/// A policy's text with an empty list of rules in place of its own. None if the text is no policy.
#[must_use]
pub fn without_rules(text: &str) -> Option<String> {
    let problems = Problems::new(text);
    let root = parse::parse(text, &problems)?;
    let Kind::Mapping(entries) = &root.kind else { return None };
    let entry = entries.iter().find(|entry| entry.key.value == "rules")?;
    let behind_the_key = entry.key.span.end + text.get(entry.key.span.end..)?.find(':')? + 1;
    let end = end(text, &entry.value);
    let (before, after) = (text.get(..behind_the_key)?, text.get(end..)?);
    // What is behind the last rule on its line is a comment on that rule.
    let after = if root_is_flow(text, &root) { after } else { after.find('\n').map_or("", |at| &after[at..]) };
    Some(format!("{before} []{after}"))
}

/// Whether a policy's text has a key at its top.
#[must_use]
pub fn has_key(text: &str, key: &str) -> bool {
    let problems = Problems::new(text);
    let root = parse::parse(text, &problems);
    root.is_some_and(|root| match root.kind {
        Kind::Mapping(entries) => entries.iter().any(|entry| entry.key.value == key),
        Kind::List(_) | Kind::Scalar(_) | Kind::Refused => false,
    })
}

fn rules<'n, 't>(root: &'n Node<'t>) -> Option<&'n Node<'t>> {
    let Kind::Mapping(entries) = &root.kind else { return None };
    entries.iter().find(|entry| entry.key.value == "rules").map(|entry| &entry.value)
}

fn root_is_flow(text: &str, root: &Node<'_>) -> bool {
    text.get(root.span.start..).is_some_and(|rest| rest.starts_with('{'))
}

/// Where the text of a node ends. The parser says that a list or mapping goes on up to whatever comes next, comments and
/// all: what has brackets ends with the closing one, and what has none with its last value.
fn end(text: &str, node: &Node<'_>) -> usize {
    let last = match &node.kind {
        Kind::List(items) => items.last().map(|last| end(text, last)),
        Kind::Mapping(entries) => entries.last().map(|last| end(text, &last.value).max(last.key.span.end)),
        Kind::Scalar(_) | Kind::Refused => return node.span.end,
    };
    match text.get(node.span.start..).and_then(|rest| rest.chars().next()) {
        Some('[') => closing(text, last.unwrap_or(node.span.start + 1), ']') + 1,
        Some('{') => closing(text, last.unwrap_or(node.span.start + 1), '}') + 1,
        Some(_) | None => last.unwrap_or(node.span.end),
    }
}

/// Where the closing bracket stands, seen from behind the last value in front of it.
fn closing(text: &str, from: usize, bracket: char) -> usize {
    let mut at = from;
    for line in text.get(from..).unwrap_or_default().split_inclusive('\n') {
        if let Some(found) = without_comment(line).find(bracket) {
            return at + found;
        }
        at += line.len();
    }
    from
}

/// A line on which no text is, without the comment at its end.
fn without_comment(line: &str) -> &str {
    line.split('#').next().unwrap_or_default()
}

/// Where the line ends that a byte is in.
fn end_of_line(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| at + length)
}

/// What is in front of a byte on its line.
fn before_on_line(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    before.rsplit_once('\n').map_or(before, |(_, line)| line)
}

fn blanks(line: &str) -> &str {
    line.get(..line.len() - line.trim_start_matches(' ').len()).unwrap_or_default()
}

fn line_break(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// Puts lines behind the line that a byte is in.
fn insert_below(text: &str, at: usize, lines: &[String]) -> Option<String> {
    let line_break = line_break(text);
    let end = end_of_line(text, at);
    let (before, after) = (text.get(..end)?, text.get(end..)?.strip_prefix('\n'));
    let first_break = if after.is_some() { "\n" } else { line_break };
    let lines = lines.join(line_break) + line_break;
    Some(format!("{before}{first_break}{lines}{}", after.unwrap_or_default()))
}

fn as_list(indent: &str, entries: &[Entry]) -> Vec<String> {
    let each = entries.iter().flat_map(|Entry { comment, rule }| {
        let comment = comment.iter().map(move |line| format!("{indent}{line}"));
        comment.chain([format!("{indent}- {rule}")])
    });
    each.collect()
}

fn behind_the_last(text: &str, rules: &Node<'_>, last: &Node<'_>, entries: &[Entry]) -> Option<String> {
    let indent = blanks(before_on_line(text, rules.span.start));
    insert_below(text, end(text, last), &as_list(indent, entries))
}

/// `rules: []` becomes a list of lines.
fn in_place_of_brackets(text: &str, rules: &Node<'_>, entries: &[Entry]) -> Option<String> {
    let (before, after) = (text.get(..rules.span.start)?, text.get(end(text, rules)..)?);
    let rest = after.split('\n').next().unwrap_or_default();
    let before = if rest.trim().is_empty() { before.trim_end_matches(' ') } else { before };
    let emptied = format!("{before}{after}");
    let indent = format!("{}  ", blanks(before_on_line(text, rules.span.start)));
    insert_below(&emptied, before.len(), &as_list(&indent, entries))
}

/// Goes on with a list in brackets.
fn in_brackets(text: &str, rules: &Node<'_>, entries: &[Entry]) -> Option<String> {
    let Kind::List(items) = &rules.kind else { return None };
    let closing = end(text, rules).checked_sub(1)?;
    let last = items.last().map(|last| end(text, last));
    let behind = last.map_or("", |last| text.get(last..closing).unwrap_or_default());
    let has_comma = behind.lines().any(|line| without_comment(line).contains(','));
    let comma = if last.is_some() && !has_comma { "," } else { "" };
    let last = last.unwrap_or(closing);
    let line = before_on_line(text, closing);
    let stands_alone = line.trim().is_empty() && text.get(..closing)?.contains('\n');
    let indent = format!("{}  ", blanks(before_on_line(text, rules.span.start)));
    let count = entries.len();
    let lines = entries.iter().enumerate().flat_map(|(index, Entry { comment, rule })| {
        let comma = if index + 1 < count { "," } else { "" };
        let comment = comment.iter().map(|line| format!("{indent}{line}"));
        comment.chain([format!("{indent}{rule}{comma}")]).collect::<Vec<_>>()
    });
    let added = lines.collect::<Vec<_>>().join(line_break(text));
    let (between, after) = (text.get(last..closing)?, text.get(closing..)?);
    let between = between.strip_suffix(if stands_alone { line } else { "" }).unwrap_or(between);
    let (first, last_break) = if stands_alone { ("", line_break(text)) } else { (line_break(text), "") };
    let blanks = if stands_alone { line } else { "" };
    Some(format!("{}{comma}{between}{first}{added}{last_break}{blanks}{after}", text.get(..last)?))
}

#[cfg(test)]
mod tests;
