use std::fmt;

/// Longest interface name (`IFNAMSIZ` less the NUL, linux/if.h).
const MAX_NAME: usize = 15;

/// An interface name, or the beginning of one with `*` behind it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InterfacePattern {
    text: Box<str>,
    prefix: bool,
}

/// Why a text is no [`InterfacePattern`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing in front of the `*`, or nothing at all.
    #[error("it names no interface")]
    Empty,
    /// More than 15 characters.
    #[error("an interface name has 15 characters at most")]
    TooLong,
    /// A `*` that is not the last character.
    #[error("`*` may stand only at the end")]
    Star,
    /// A character that no interface name has.
    #[error("the character {0:?} has no place in an interface name")]
    Character(char),
}

impl InterfacePattern {
    /// Reads a name such as `docker0` or a pattern such as `br-*`.
    ///
    /// # Errors
    /// What keeps the text from being one.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let (name, prefix) = text.strip_suffix('*').map_or((text, false), |name| (name, true));
        if name.is_empty() || name == "." || name == ".." {
            return Err(PatternError::Empty);
        }
        if name.len() > MAX_NAME {
            return Err(PatternError::TooLong);
        }
        if name.contains('*') {
            return Err(PatternError::Star);
        }
        // The kernel refuses `/`, `:` and blanks (dev_valid_name, net/core/dev.c); the rest would need quoting in nft.
        match name.chars().find(|c| !c.is_ascii_graphic() || matches!(c, '/' | ':' | '"' | '\\')) {
            Some(odd) => Err(PatternError::Character(odd)),
            None => Ok(Self { text: text.into(), prefix }),
        }
    }

    /// Whether it means the interface with this name.
    #[must_use]
    pub fn matches(&self, interface: &str) -> bool {
        match self.text.strip_suffix('*').filter(|_| self.prefix) {
            Some(beginning) => interface.starts_with(beginning),
            None => interface == &*self.text,
        }
    }

    /// Whether it can mean more than one interface.
    #[must_use]
    pub fn is_wild(&self) -> bool {
        self.prefix
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for InterfacePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_at_the_end_means_any_rest() {
        let pattern = InterfacePattern::parse("br-*").unwrap();
        assert!(pattern.is_wild() && pattern.matches("br-1a2b") && pattern.matches("br-"));
        assert!(!pattern.matches("br0"));
        let exact = InterfacePattern::parse("docker0").unwrap();
        assert!(!exact.is_wild() && exact.matches("docker0") && !exact.matches("docker01"));
    }

    #[test]
    fn what_is_no_interface_says_why() {
        assert_eq!(InterfacePattern::parse("*"), Err(PatternError::Empty));
        assert_eq!(InterfacePattern::parse("a*b"), Err(PatternError::Star));
        assert_eq!(InterfacePattern::parse("a234567890123456"), Err(PatternError::TooLong));
        assert_eq!(InterfacePattern::parse("a/b"), Err(PatternError::Character('/')));
        assert_eq!(InterfacePattern::parse("a\"b"), Err(PatternError::Character('"')));
    }
}
