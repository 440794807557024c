use ratatui::style::{Color, Modifier, Style};

use crate::model::Verdict;

/// What the terminal can show. Colours are the terminal's own, on its own background: light and dark both work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether there are colours.
    pub colour: bool,
    /// Whether there are other letters than ASCII.
    pub unicode: bool,
}

impl Look {
    fn in_colour(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    pub(super) fn of_verdict(self, verdict: Verdict) -> Style {
        match verdict {
            Verdict::Allow => self.good(),
            Verdict::Deny => self.bad(),
            Verdict::Audit => self.in_colour(Color::Yellow),
        }
    }

    pub(super) fn good(self) -> Style {
        self.in_colour(Color::Green)
    }

    pub(super) fn bad(self) -> Style {
        self.in_colour(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub(super) fn strong(self) -> Style {
        self.in_colour(Color::Reset).add_modifier(Modifier::BOLD)
    }

    pub(super) fn faint(self) -> Style {
        self.in_colour(Color::Reset).add_modifier(Modifier::DIM)
    }

    pub(super) fn key(self) -> Style {
        self.in_colour(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    pub(super) fn selected() -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// A text that has so many columns at most, with a mark where something is left out.
    pub(super) fn clip(self, text: &str, columns: usize) -> String {
        if text.chars().count() <= columns {
            return text.to_owned();
        }
        let mark = if self.unicode { '\u{2026}' } else { '~' };
        text.chars().take(columns.saturating_sub(1)).chain([mark]).collect()
    }
}
