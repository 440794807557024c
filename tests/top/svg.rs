//! Pictures for the documents: `make screenshots`.

use std::fmt::Write;
use std::path::Path;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use crate::scene::{busy, detail};
use crate::screens::{COLOUR, drawn};

/// Columns and lines of a picture.
const SIZE: (u16, u16) = (110, 24);
const WIDTH: usize = 8;
const HEIGHT: usize = 17;

/// What a terminal makes of the colours.
struct Theme {
    background: &'static str,
    text: &'static str,
    red: &'static str,
    green: &'static str,
    yellow: &'static str,
    cyan: &'static str,
}

const DARK: Theme = Theme {
    background: "#15181e",
    text: "#d7dae0",
    red: "#f2777a",
    green: "#8fd18f",
    yellow: "#e5c07b",
    cyan: "#6fc3df",
};
const LIGHT: Theme = Theme {
    background: "#ffffff",
    text: "#24292f",
    red: "#b3202a",
    green: "#1a7f37",
    yellow: "#8a6100",
    cyan: "#0b6f8a",
};

impl Theme {
    fn colour(&self, colour: Color) -> &'static str {
        match colour {
            Color::Red => self.red,
            Color::Green => self.green,
            Color::Yellow => self.yellow,
            Color::Cyan => self.cyan,
            _ => self.text,
        }
    }
}

fn svg(buffer: &Buffer, theme: &Theme) -> String {
    let (columns, lines) = (usize::from(buffer.area.width), usize::from(buffer.area.height));
    let (width, height) = (columns * WIDTH + 24, lines * HEIGHT + 24);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{}\"/>\n",
        theme.background
    );
    for (number, cells) in buffer.content.chunks(columns).enumerate() {
        line(&mut svg, cells, 12 + number * HEIGHT, theme);
    }
    svg + "</svg>\n"
}

/// Cells that look alike are one piece of text.
fn line(svg: &mut String, cells: &[Cell], top: usize, theme: &Theme) {
    let mut column = 0;
    for piece in cells.chunk_by(|one, other| one.fg == other.fg && one.modifier == other.modifier) {
        let text: String = piece.iter().map(Cell::symbol).collect();
        let left = 12 + column * WIDTH;
        let width = piece.len() * WIDTH;
        column += piece.len();
        let (first, is_reversed) = (&piece[0], piece[0].modifier.contains(Modifier::REVERSED));
        let mut fill = theme.colour(first.fg);
        if is_reversed {
            writeln!(svg, "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{HEIGHT}\" fill=\"{fill}\"/>")
                .unwrap();
            fill = theme.background;
        }
        if text.trim().is_empty() {
            continue;
        }
        let weight = if first.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
        let dim = if first.modifier.contains(Modifier::DIM) { " opacity=\"0.65\"" } else { "" };
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        writeln!(
            svg,
            "<text x=\"{left}\" y=\"{}\" fill=\"{fill}\"{weight}{dim} textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\" \
             xml:space=\"preserve\">{escaped}</text>",
            top + 13
        )
        .unwrap();
    }
}

#[test]
fn the_pictures_of_the_documents_are_what_is_drawn() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images");
    for (name, state) in [("top", busy()), ("top-detail", detail())] {
        for (kind, theme) in [("dark", &DARK), ("light", &LIGHT)] {
            let path = folder.join(format!("{name}-{kind}.svg"));
            let picture = svg(&drawn(&state, COLOUR, SIZE), theme);
            if std::env::var_os("DECIDER_SCREENS").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&path, &picture).unwrap();
            }
            let kept = std::fs::read_to_string(&path).unwrap();
            assert!(kept == picture, "{} is out of date: make screenshots", path.display());
        }
    }
}
