use ratatui::text::{Line, Span};

use super::columns::{Column, columns, number, words};
use super::human;
use super::look::Look;
use crate::top::group::{Group, Grouping};
use crate::top::row::Row;
use crate::top::state::State;

/// Widths of a group's columns behind its title.
const NUMBERS: usize = 8;

/// The table, as high as there is room.
pub fn lines(state: &State, look: Look, width: usize, height: usize) -> Vec<Line<'static>> {
    let room = height.saturating_sub(1);
    let first = state.selected.saturating_sub(room.saturating_sub(1));
    let mark = |number: usize, line: Line<'static>| {
        if first + number == state.selected { Line::styled(padded(&line, width), Look::selected()) } else { line }
    };
    let (heading, lines): (String, Vec<Line<'static>>) = if state.grouping == Grouping::None {
        let rows = state.shown();
        (heading(look, width), rows.iter().skip(first).take(room).map(|row| of_row(row, state, look, width)).collect())
    } else {
        let groups = state.groups();
        let titles = group_cells(
            &state.grouping.as_str().to_uppercase(),
            &["ALLOWED", "REFUSED", "OPEN", "RATE", "BYTES", "LAST"],
            look,
            width,
        );
        (
            titles,
            groups.iter().skip(first).take(room).map(|group| Line::raw(of_group(group, state, look, width))).collect(),
        )
    };
    let nothing = lines.is_empty().then(|| Line::styled(nothing(state), look.faint()));
    let lines = lines.into_iter().enumerate().map(|(number, line)| mark(number, line));
    [Line::styled(heading, look.faint())].into_iter().chain(nothing).chain(lines).collect()
}

fn nothing(state: &State) -> &'static str {
    if state.filter.is_empty() { "nothing has been decided yet" } else { "nothing fits the filter: Esc clears it" }
}

fn padded(line: &Line<'_>, width: usize) -> String {
    format!("{:<width$}", line.to_string())
}

fn heading(look: Look, width: usize) -> String {
    let cells = columns(width).into_iter().map(|(column, width)| column.cell(column.heading(), width, look));
    cells.collect::<Vec<_>>().join(" ")
}

fn of_row(row: &Row, state: &State, look: Look, width: usize) -> Line<'static> {
    let cells = columns(width).into_iter().map(|(column, width)| (column, column.text(row, state.now), width));
    let cell = |(column, text, width): (Column, String, usize)| {
        let text = column.cell(&text, width, look) + " ";
        if column == Column::What { Span::styled(text, look.of_verdict(row.verdict)) } else { Span::raw(text) }
    };
    Line::from(cells.map(cell).collect::<Vec<_>>())
}

fn of_group(group: &Group, state: &State, look: Look, width: usize) -> String {
    let count = |number: u64| if number == 0 { String::new() } else { number.to_string() };
    let ago = u64::try_from(state.now.duration_since(group.last).as_secs()).map_or(String::new(), human::seconds);
    let bytes = group.bytes.map_or(String::new(), human::bytes);
    let cells = [count(group.allowed), count(group.refused), count(group.open), human::rate(group.rate), bytes, ago];
    group_cells(&group.title, &cells, look, width)
}

fn group_cells(title: &str, cells: &[impl AsRef<str>], look: Look, width: usize) -> String {
    let rest = (NUMBERS + 1) * cells.len();
    let cells = cells.iter().map(|cell| number(cell.as_ref(), NUMBERS, look));
    [words(title, width.saturating_sub(rest), look)].into_iter().chain(cells).collect::<Vec<_>>().join(" ")
}
