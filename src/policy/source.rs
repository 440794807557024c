use super::code::Code;
use super::diagnostic::{Diagnostic, Place};
use super::problems::{Fault, Problems};

/// Largest policy file that is read, in bytes: room for ten thousands of rules.
pub const MAX_BYTES: usize = 4 << 20;

/// A stretch of the file, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// Its first byte.
    pub start: usize,
    /// Behind its last byte.
    pub end: usize,
}

/// Where a problem of the whole file is shown.
pub const HEAD: Span = Span { start: 0, end: 0 };

/// A value and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located<T> {
    pub value: T,
    pub span: Span,
}

/// The text with the beginnings of its lines: from bytes to lines and columns.
#[derive(Debug)]
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub fn new(text: &'t str) -> Self {
        let behind_breaks = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(behind_breaks).collect() }
    }

    /// A line by its number from 1, without its break.
    pub fn line(&self, number: usize) -> &'t str {
        let start = number.checked_sub(1).and_then(|index| self.starts.get(index)).copied().unwrap_or(self.text.len());
        let rest = self.text.get(start..).unwrap_or_default();
        let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
        line.strip_suffix('\r').unwrap_or(line)
    }

    /// The part of a stretch that is on its first line.
    pub fn place(&self, span: Span) -> Place {
        // What is behind the end (an unclosed bracket) is shown at the end of the last line that says something.
        let last = self.text.trim_end().len();
        let start = self.floor(span.start.min(last));
        let line = self.starts.partition_point(|&begin| begin <= start);
        let begin = line.checked_sub(1).and_then(|index| self.starts.get(index)).copied().unwrap_or(0);
        let end_of_line = begin + self.line(line).trim_end().len();
        let end = self.floor(span.end.clamp(start, end_of_line.max(start)));
        let column = 1 + self.characters(begin, start);
        Place { line, column, end_column: column + self.characters(start, end).max(1) }
    }

    fn characters(&self, from: usize, to: usize) -> usize {
        self.text.get(from..to).map_or(0, |part| part.chars().count())
    }

    fn floor(&self, at: usize) -> usize {
        (0..=at).rev().find(|&at| self.text.is_char_boundary(at)).unwrap_or(0)
    }
}

/// The text in a file's bytes.
///
/// # Errors
/// The problem that keeps them from being text.
pub fn decode(bytes: &[u8]) -> Result<&str, Vec<Diagnostic>> {
    if bytes.len() > MAX_BYTES {
        return Err(Problems::only(HEAD, "", too_large()));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).and_then(|good| std::str::from_utf8(good).ok()).unwrap_or_default();
        let fault = Fault::new(Code::NotUtf8, "the file is not UTF-8 from here on");
        // The `?` stands for the odd byte, so that the place is on it.
        let shown = format!("{good}?");
        Problems::only(Span { start: good.len(), end: good.len() }, &shown, fault.help("save it as UTF-8"))
    })
}

/// Refuses a text that cannot be a policy whatever it says.
pub fn check(text: &str, problems: &Problems<'_>) -> Option<()> {
    if text.len() > MAX_BYTES {
        problems.error(HEAD, too_large());
        return None;
    }
    let Some((at, odd)) = text.char_indices().find(|&(at, c)| is_odd(c, text, at)) else {
        return Some(());
    };
    problems.error(Span { start: at, end: at + odd.len_utf8() }, odd_character(odd));
    None
}

fn too_large() -> Fault {
    let message = format!("the file is larger than {} MiB, which no policy is", MAX_BYTES >> 20);
    Fault::new(Code::TooLarge, message).help("is this the file that you meant?")
}

/// What YAML does not have (YAML 1.2.2, section 5.1), a carriage return that ends no line, and what makes a reader
/// see another text than decider does: byte order marks and bidirectional controls.
fn is_odd(c: char, text: &str, at: usize) -> bool {
    match c {
        '\t' | '\n' => false,
        '\r' => !text.get(at..).is_some_and(|rest| rest.starts_with("\r\n")),
        '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        other => other.is_control(),
    }
}

fn odd_character(odd: char) -> Fault {
    let code = u32::from(odd);
    let (what, help) = match odd {
        '\u{feff}' => ("a byte order mark", "save the file as UTF-8 without a byte order mark"),
        '\r' => ("a carriage return that ends no line", "let lines end with a line feed alone"),
        '\0' => ("a NUL", "save the file as UTF-8 text"),
        other if other.is_control() => ("a control character", "take it out"),
        _ => (
            "a character that changes the direction of the text around it",
            "take it out: the file would not read as it is meant",
        ),
    };
    Fault::new(Code::Character, format!("{what} (U+{code:04X})")).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, start: usize, end: usize) -> (usize, usize, usize) {
        let place = Lines::new(text).place(Span { start, end });
        (place.line, place.column, place.end_column)
    }

    #[test]
    fn places_count_characters_from_one_and_end_with_their_line() {
        let text = "a: \u{fc}b\r\nc: d\n";
        assert_eq!(place(text, 0, 1), (1, 1, 2));
        assert_eq!(place(text, 5, 6), (1, 5, 6));
        assert_eq!(place(text, 0, text.len()), (1, 1, 6));
        assert_eq!(place(text, 8, 9), (2, 1, 2));
    }

    #[test]
    fn what_is_behind_the_end_is_shown_at_the_end() {
        assert_eq!(place("a: [\n\n", 6, 7), (1, 5, 6));
        assert_eq!(place("", 0, 9), (1, 1, 2));
        assert_eq!(place("\n\n\n", 2, 3), (1, 1, 2));
    }
}
