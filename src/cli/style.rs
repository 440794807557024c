//! Colours of what people read; `anstream` leaves them out where they are not wanted (`NO_COLOR`, no terminal).

use anstyle::{AnsiColor, Style};

use crate::model::Verdict;

pub const GOOD: Style = AnsiColor::Green.on_default();
pub const WARN: Style = AnsiColor::Yellow.on_default();
pub const BAD: Style = AnsiColor::Red.on_default().bold();
pub const STRONG: Style = Style::new().bold();
pub const FAINT: Style = Style::new().dimmed();

pub const fn of_verdict(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Allow => GOOD,
        Verdict::Deny => BAD,
        Verdict::Audit => WARN,
    }
}
