use ratatui::text::{Line, Span};

use super::look::Look;
use crate::filter::Field;

const KEYS: [(&str, &str); 9] = [
    ("up, down, j, k", "choose a row; page up and down, home, end"),
    ("Enter", "why, and all that is known; of a group: its rows"),
    ("a", "let a refused name through for a while, after a question"),
    ("/", "filter, at once in force; Enter: keep it, Esc: take it back"),
    ("Esc", "clear the filter; leave a pane"),
    ("g", "group by client (c), name (n), rule (r), nothing (u)"),
    ("s", "sort by last decision, rate, bytes, name, client"),
    ("p", "stand still, and go on"),
    ("?; q, Ctrl-C", "this; end"),
];

/// The keys and the filter's language.
pub fn lines(look: Look) -> Vec<Line<'static>> {
    let key = |(keys, what): &(&'static str, &'static str)| {
        Line::from(vec![Span::styled(format!("  {keys:<15} "), look.key()), Span::raw(*what)])
    };
    let mut lines = vec![Line::styled("keys", look.strong())];
    lines.extend(KEYS.iter().map(key));
    lines.push(Line::styled("filter: words that all have to fit; -word must not; of a,b one", look.strong()));
    let fields: Vec<String> = Field::ALL.iter().map(|field| format!("{field}:")).collect();
    lines.extend(fields.chunks(7).map(|fields| Line::raw(format!("  {}", fields.join(" ")))));
    lines.push(Line::raw("  verdict:deny port:22 name:*.example.com -client:10.0.0.0/8 ssh"));
    lines.push(Line::styled("columns", look.strong()));
    lines.push(Line::raw("  WHY: the reason, or the rule that allows; ROUTE: the listener's port"));
    lines.push(Line::raw("  OPEN: connections that live; LEFT: until the name's evidence expires"));
    lines
}
