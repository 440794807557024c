//! State to what is on the screen. Pure.

mod columns;
mod detail;
mod footer;
mod header;
mod help;
mod human;
mod look;
mod permit;
mod plain;
mod spark;
mod table;

pub use look::Look;
pub use plain::plain;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

use super::state::{Screen, State};

/// Draws all.
pub fn draw(frame: &mut Frame<'_>, state: &State, look: Look) {
    let width = usize::from(frame.area().width);
    let header = header::lines(state, look, width);
    let height = u16::try_from(header.len()).unwrap_or(u16::MAX);
    let parts = [Constraint::Length(height), Constraint::Min(3), Constraint::Length(2)];
    let [above, middle, below] = Layout::vertical(parts).areas(frame.area());
    frame.render_widget(Paragraph::new(header), above);
    match &state.screen {
        Screen::Table => {
            let lines = table::lines(state, look, width, usize::from(middle.height));
            frame.render_widget(Paragraph::new(lines), middle);
        }
        Screen::Help => text(frame, middle, help::lines(look), 0),
        Screen::Permit(permit) => text(frame, middle, permit::lines(permit, look), 0),
        Screen::Detail(detail) => text(frame, middle, detail::lines(detail, state, look), detail.skipped),
    }
    frame.render_widget(Paragraph::new(footer::lines(state, look, width).to_vec()), below);
}

fn text(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'_>>, skipped: u16) {
    let skipped = skipped.min(u16::try_from(lines.len()).unwrap_or(u16::MAX));
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }).scroll((skipped, 0)), area);
}
