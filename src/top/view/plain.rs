use super::columns::{Column, ORDER};
use super::look::Look;
use crate::top::state::State;

/// The table for scripts as lines of text: all columns, none cut short, each column as wide as it has to be; an empty cell is `-`.
#[must_use]
pub fn plain(state: &State) -> Vec<String> {
    let heading = ORDER.map(|column| column.heading().to_owned());
    let cells = state.shown().into_iter().map(|row| ORDER.map(|column| filled(&column.text(row, state.now))));
    let table: Vec<[String; 13]> = [heading].into_iter().chain(cells).collect();
    let widths: Vec<usize> = (0..ORDER.len())
        .map(|at| table.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let look = Look { colour: false, unicode: true };
    let cell = |((column, text), width): ((Column, &String), &usize)| column.cell(text, *width, look);
    let line = |row: &[String; 13]| ORDER.into_iter().zip(row).zip(&widths).map(cell).collect::<Vec<_>>().join(" ");
    table.iter().map(|row| line(row).trim_end().to_owned()).collect()
}

fn filled(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.replace(' ', "") }
}
