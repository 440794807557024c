//! The filter language of `events` and `top`: `verdict:deny port:22 name:*.example.com -client:10.0.0.0/8 ssh`.
//!
//! Words are separated by blanks, and all of them have to fit. A word is `field:value`, or `field:value,value` where one
//! of the values has to fit, or any text, which may be in any field. `-` or `!` in front of a word means that it must not
//! fit. `-` as a value means that there is none: `name:-`.

mod arguments;
mod condition;
mod error;
mod fields;
mod glob;
mod since;
mod term;

pub use arguments::with_marks;
pub use error::FilterError;
pub use fields::{Field, Fields};
pub use since::{SinceError, since};

use term::Term;

/// What is to be shown. The empty filter shows everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// The first word that is none of the language's, where it stands and what to write.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let words = text.split_whitespace().map(|word| (column(text, word), word));
        Ok(Self { terms: words.map(|(at, word)| Term::parse(word, at)).collect::<Result<_, _>>()? })
    }

    /// Whether everything is shown.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether this is to be shown.
    #[must_use]
    pub fn matches(&self, fields: &Fields<'_>) -> bool {
        self.terms.iter().all(|term| term.matches(fields))
    }
}

/// Where a part of a text begins, counted in characters from 1.
fn column(text: &str, part: &str) -> usize {
    let before = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    text.get(..before).map_or(1, |before| before.chars().count() + 1)
}

#[cfg(test)]
mod tests;
