use ratatui::text::{Line, Span};

use super::look::Look;
use crate::top::group::Grouping;
use crate::top::state::{Screen, State};

/// The two last lines: what can be copied, or is wrong; the filter and the keys.
pub fn lines(state: &State, look: Look, width: usize) -> [Line<'static>; 2] {
    [hint(state, look, width), last(state, look, width)]
}

fn hint(state: &State, look: Look, width: usize) -> Line<'static> {
    if let Some(error) = &state.filter_error {
        return Line::styled(look.clip(error, width), look.bad());
    }
    if let Some(notice) = state.notice {
        return Line::styled(look.clip(notice, width), look.bad());
    }
    let is_table = matches!(state.screen, Screen::Table) && state.grouping == Grouping::None;
    let shown = state.shown();
    let row = shown.get(state.selected).filter(|_| is_table);
    match row.and_then(|row| row.allow_line()) {
        Some(line) => Line::from(vec![Span::styled("to allow it: ", look.faint()), Span::raw(line)]),
        None => Line::default(),
    }
}

fn last(state: &State, look: Look, width: usize) -> Line<'static> {
    if state.typing.is_some() {
        let cursor = if look.unicode { "\u{2588}" } else { "_" };
        return Line::from(vec![
            Span::styled("/", look.key()),
            Span::raw(state.filter_text.clone()),
            Span::raw(cursor),
        ]);
    }
    let keys = match state.screen {
        Screen::Table => "?:help  /:filter  Enter:why  a:allow  g:group  s:sort  q:quit",
        Screen::Help | Screen::Permit(_) => "Esc:back",
        Screen::Detail(_) => "Esc:back  up, down:scroll  a:allow",
    };
    let filter = if state.filter_text.is_empty() { String::new() } else { format!("filter: {}  ", state.filter_text) };
    let sorted = format!("sorted: {}  ", state.sort.as_str());
    let room = width.saturating_sub(sorted.len() + filter.chars().count());
    Line::from(vec![
        Span::styled(filter, look.key()),
        Span::raw(sorted),
        Span::styled(look.clip(keys, room), look.faint()),
    ])
}
