use std::cell::{Cell, RefCell};

use super::code::Code;
use super::diagnostic::{Diagnostic, Related, Severity};
use super::source::{Lines, Span};

/// Most problems that are kept of one file: memory is bounded, and nobody reads more.
const MAX_PROBLEMS: usize = 500;
/// Most characters of the file's own text that a message repeats.
const MAX_SHOWN: usize = 60;

/// What is wrong, before it is said where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    code: Code,
    message: String,
    help: Option<String>,
    related: Option<(Span, String)>,
}

impl Fault {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None, related: None }
    }

    /// What to write instead.
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Another place that has to do with it, and what is there.
    pub fn related(self, span: Span, message: impl Into<String>) -> Self {
        Self { related: Some((span, message.into())), ..self }
    }
}

/// Collects the problems of one file. Shared by its readers, so that each of them can tell what it finds.
#[derive(Debug)]
pub struct Problems<'t> {
    lines: Lines<'t>,
    found: RefCell<Vec<Diagnostic>>,
    left_out: Cell<usize>,
    errors: Cell<bool>,
}

impl<'t> Problems<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { lines: Lines::new(text), found: RefCell::default(), left_out: Cell::new(0), errors: Cell::new(false) }
    }

    /// The only problem of a text that is not looked at any further.
    pub fn only(span: Span, text: &'t str, fault: Fault) -> Vec<Diagnostic> {
        let problems = Self::new(text);
        problems.error(span, fault);
        problems.found.into_inner()
    }

    pub fn error(&self, span: Span, fault: Fault) {
        self.errors.set(true);
        self.add(Severity::Error, span, fault);
    }

    pub fn warning(&self, span: Span, fault: Fault) {
        self.add(Severity::Warning, span, fault);
    }

    /// The number of a place's line, from 1.
    pub fn line(&self, span: Span) -> usize {
        self.lines.place(span).line
    }

    /// What was read if nothing is wrong with it, and warnings; else everything that is wrong, in the order of the file.
    pub fn conclude<T>(self, read: Option<T>) -> Result<(T, Vec<Diagnostic>), Vec<Diagnostic>> {
        let (errors, left_out) = (self.errors.get(), self.left_out.get());
        let mut found = self.found.into_inner();
        found.sort_by_key(|found| (found.place, found.code));
        let severity = if errors { Severity::Error } else { Severity::Warning };
        let rest = found.last().filter(|_| left_out > 0).map(|last| rest(severity, last, left_out));
        found.extend(rest);
        match read {
            Some(read) if !errors => Ok((read, found)),
            Some(_) | None => Err(found),
        }
    }

    fn add(&self, severity: Severity, span: Span, fault: Fault) {
        let mut found = self.found.borrow_mut();
        if found.len() == MAX_PROBLEMS {
            self.left_out.set(self.left_out.get() + 1);
            // Warnings make room for errors: those are what keeps the policy from being used.
            let is_warning = |found: &Diagnostic| found.severity == Severity::Warning;
            match found.iter().rposition(is_warning).filter(|_| severity == Severity::Error) {
                Some(index) => drop(found.swap_remove(index)),
                None => return,
            }
        }
        let Fault { code, message, help, related } = fault;
        let place = self.lines.place(span);
        let related = related.map(|(span, message)| Related { place: self.lines.place(span), message });
        found.push(Diagnostic { severity, code, place, message, help, related });
    }
}

fn rest(severity: Severity, last: &Diagnostic, left_out: usize) -> Diagnostic {
    Diagnostic {
        severity,
        code: Code::TooManyProblems,
        place: last.place,
        message: format!("{left_out} more problems are not shown"),
        help: Some("correct these first".into()),
        related: None,
    }
}

/// A piece of the file for a message: in backticks, cut when long, with nothing in it that a terminal would obey.
pub fn shown(text: &str) -> String {
    let mut out = String::from("`");
    for (index, c) in text.chars().enumerate() {
        if index == MAX_SHOWN {
            out.push_str("...");
            break;
        }
        if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') {
            out.extend(c.escape_debug());
        } else {
            out.push(c);
        }
    }
    out.push('`');
    out
}

/// Words for a message: `a`, `b` and `c`.
pub fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some(_) | None => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_harmless_and_short() {
        assert_eq!(shown("abc"), "`abc`");
        assert_eq!(shown("\u{1b}[31m\n"), "`\\u{1b}[31m\\n`");
        assert_eq!(shown(&"x".repeat(100)), format!("`{}...`", "x".repeat(60)));
    }

    #[test]
    fn problems_are_bounded_and_the_rest_is_counted() {
        let problems = Problems::new("a");
        for _ in 0..MAX_PROBLEMS + 7 {
            problems.error(Span { start: 0, end: 1 }, Fault::new(Code::Tag, "x"));
        }
        let found = problems.conclude::<()>(None).unwrap_err();
        assert_eq!(found.len(), MAX_PROBLEMS + 1);
        assert!(found[MAX_PROBLEMS].message.starts_with("7 more"));
    }

    #[test]
    fn no_number_of_warnings_hides_an_error() {
        let problems = Problems::new("a");
        for _ in 0..MAX_PROBLEMS {
            problems.warning(Span { start: 0, end: 1 }, Fault::new(Code::SingleLabel, "x"));
        }
        problems.error(Span { start: 0, end: 1 }, Fault::new(Code::Tag, "y"));
        let found = problems.conclude::<()>(None).unwrap_err();
        assert_eq!(found.len(), MAX_PROBLEMS + 1);
        assert!(found.iter().any(|found| found.code == Code::Tag));
        assert_eq!(found[MAX_PROBLEMS].severity, Severity::Error);
        assert!(found[MAX_PROBLEMS].message.starts_with("1 more"));
    }
}
