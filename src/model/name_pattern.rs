use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use super::domain::{DomainName, MAX_NAME, NameError};

/// What stands for "one or more labels".
const ANY: &str = "*.";
/// The dots of UTS 46, as [`DomainName::parse`] reads them.
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// The names that a rule is about: one name, or `*.` and a name for all names below that one. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct NamePattern(Arc<str>);

/// Why a text is not a [`NamePattern`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamePatternError {
    /// Nothing but a `*`.
    #[error("a `*` alone would mean every name there is")]
    Everything,
    /// A `*` that is not the whole first label, or not the only one.
    #[error("`*` may stand only once, as the whole first label")]
    Star,
    /// What is below `*.`, or the whole, is no name.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl NamePattern {
    /// From what a person wrote: a name as [`DomainName::parse`] reads it, or `*.` in front of one.
    ///
    /// # Errors
    /// What keeps the text from being either.
    pub fn parse(text: &str) -> Result<Self, NamePatternError> {
        if !text.contains('*') {
            return Ok(Self::from(DomainName::parse(text)?));
        }
        if text.trim_end_matches(DOTS).chars().all(|c| c == '*') {
            return Err(NamePatternError::Everything);
        }
        let base = text.strip_prefix('*').and_then(|rest| rest.strip_prefix(DOTS)).ok_or(NamePatternError::Star)?;
        if base.contains('*') {
            return Err(NamePatternError::Star);
        }
        let base = DomainName::parse(base)?;
        // The shortest name below has as many characters as the pattern.
        if ANY.len() + base.as_str().len() > MAX_NAME {
            return Err(NameError::TooLong.into());
        }
        Ok(Self(format!("{ANY}{base}").into()))
    }

    /// Whether it means this name. `*.example.com` means `a.example.com` and `a.b.example.com`, but not `example.com`.
    #[must_use]
    pub fn matches(&self, name: &DomainName) -> bool {
        match self.base() {
            Some(base) => is_below(name.as_str(), base),
            None => *self.0 == *name.as_str(),
        }
    }

    /// Whether it means every name that another means.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self == other || self.base().is_some_and(|base| is_below(other.base().unwrap_or(&other.0), base))
    }

    /// The name that all it means are below; none if it means one name only.
    #[must_use]
    pub fn base(&self) -> Option<&str> {
        self.0.strip_prefix(ANY)
    }

    /// Whether it means all names below one.
    #[must_use]
    pub fn is_wild(&self) -> bool {
        self.base().is_some()
    }

    /// As it is written: lower case, without a trailing dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_below(name: &str, base: &str) -> bool {
    name.strip_suffix(base).is_some_and(|below| below.ends_with('.'))
}

impl From<DomainName> for NamePattern {
    fn from(name: DomainName) -> Self {
        Self(name.into_text())
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de> Deserialize<'de> for NamePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> NamePattern {
        NamePattern::parse(text).unwrap()
    }

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    #[test]
    fn a_wildcard_covers_what_is_below_its_name_and_no_name_covers_a_wildcard() {
        for (wide, narrow, covers) in [
            ("*.example.com", "*.example.com", true),
            ("*.example.com", "*.a.example.com", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.a.example.com", "*.example.com", false),
            ("*.example.com", "*.badexample.com", false),
            ("a.example.com", "a.example.com", true),
            ("example.com", "*.example.com", false),
            ("example.com", "a.example.com", false),
        ] {
            assert_eq!(pattern(wide).covers(&pattern(narrow)), covers, "{wide} {narrow}");
        }
    }

    #[test]
    fn a_wildcard_means_what_is_below_its_name_and_nothing_else() {
        let wild = pattern("*.Example.COM.");
        assert_eq!((wild.as_str(), wild.base()), ("*.example.com", Some("example.com")));
        for below in
            ["a.example.com", "a.b.c.example.com", "A.EXAMPLE.com.", "_ssh._tcp.example.com", "x--1.example.com"]
        {
            assert!(wild.matches(&name(below)), "{below}");
        }
        for other in
            ["example.com", "badexample.com", "a.badexample.com", "com", "example.com.evil.org", "a.example.org"]
        {
            assert!(!wild.matches(&name(other)), "{other}");
        }
    }

    #[test]
    fn a_name_means_itself() {
        let exact = pattern("GitHub.com.");
        assert_eq!((exact.as_str(), exact.base(), exact.is_wild()), ("github.com", None, false));
        assert!(exact.matches(&name("github.com")) && !exact.matches(&name("api.github.com")));
    }

    #[test]
    fn international_names_are_encoded_below_a_star_too() {
        for written in ["*.b\u{fc}cher.example", "*.B\u{dc}CHER.example.", "*\u{3002}xn--bcher-kva\u{ff0e}example"] {
            assert_eq!(pattern(written).as_str(), "*.xn--bcher-kva.example", "{written}");
        }
    }

    #[test]
    fn a_star_stands_alone_in_front_or_nowhere() {
        for everything in ["*", "*.", "**", "**."] {
            assert_eq!(NamePattern::parse(everything), Err(NamePatternError::Everything), "{everything}");
        }
        for odd in
            ["**.example.com", "*.*.example.com", "a*.example.com", "*a.example.com", "a.*.example.com", "a.*", "*x"]
        {
            assert_eq!(NamePattern::parse(odd), Err(NamePatternError::Star), "{odd}");
        }
        assert_eq!(NamePattern::parse("*.192.0.2.1"), Err(NameError::Address.into()));
        assert_eq!(NamePattern::parse("*..example.com"), Err(NameError::Label(String::new()).into()));
        // A star in another script is a character like any other.
        assert!(matches!(NamePattern::parse("\u{ff0a}.example.com"), Err(NamePatternError::Name(_))));
    }

    #[test]
    fn a_wildcard_that_no_name_is_short_enough_for_is_refused() {
        let longest = |length: usize| {
            format!("{}.{}", ["a".repeat(63), "b".repeat(63), "c".repeat(63)].join("."), "d".repeat(length - 192))
        };
        assert_eq!(pattern(&format!("*.{}", longest(251))).as_str().len(), 253);
        assert_eq!(NamePattern::parse(&format!("*.{}", longest(252))), Err(NameError::TooLong.into()));
    }
}
