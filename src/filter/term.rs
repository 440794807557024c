use std::net::IpAddr;

use super::condition::Condition;
use super::fields::{Field, Fields};
use super::{FilterError, column};

/// One word of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Whether it must not fit.
    negated: bool,
    /// Of which one has to fit.
    conditions: Vec<Condition>,
}

impl Term {
    /// Reads a word that stands at a column.
    pub fn parse(word: &str, at: usize) -> Result<Self, FilterError> {
        let plain = word.strip_prefix(['-', '!']);
        let negated = plain.is_some();
        let plain = plain.unwrap_or(word);
        let error = |part: &str, message: String| FilterError { column: at + column(word, part) - 1, message };
        if plain.is_empty() {
            return Err(error(word, format!("{word:?} stands in front of a word that must not fit: -port:22")));
        }
        let Some((name, values)) = parts(plain) else {
            return Ok(Self { negated, conditions: vec![Condition::anywhere(plain)] });
        };
        let field = Field::named(name).ok_or_else(|| error(plain, no_such_field(name)))?;
        let condition = |value| Condition::parse(field, value).map_err(|message| error(value, message));
        Ok(Self { negated, conditions: values.split(',').map(condition).collect::<Result<_, _>>()? })
    }

    /// Whether it lets this through.
    pub fn matches(&self, fields: &Fields<'_>) -> bool {
        self.conditions.iter().any(|test| test.matches(fields)) != self.negated
    }
}

/// A field's name and its values; none of a word that stands for itself, such as `192.0.2.1:22`, `fe80::1` and `a.b:22/ssh`.
fn parts(word: &str) -> Option<(&str, &str)> {
    let (name, values) = word.split_once(':')?;
    let is_name = !name.is_empty() && name.bytes().all(|letter| letter.is_ascii_lowercase());
    (is_name && word.parse::<IpAddr>().is_err()).then_some((name, values))
}

fn no_such_field(name: &str) -> String {
    let all: Vec<&str> = Field::ALL.iter().map(|field| field.as_str()).collect();
    format!("there is no field {name:?}: use one of {}", all.join(", "))
}
