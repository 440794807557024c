use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use smol_str::{SmolStr, StrExt};

/// Longest name in presentation form without the trailing dot (RFC 1035, section 2.3.4: 255 octets on the wire).
pub(super) const MAX_NAME: usize = 253;
/// Longest label (RFC 1035, section 2.3.4).
const MAX_LABEL: usize = 63;

/// A DNS name: lower-case ASCII without the trailing dot, labels of letters, digits, `-` and `_`. Cheap to clone.
///
/// Anything that is not such a name (escaped dots, binary labels) is no `DomainName`, so no rule can ever mean it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct DomainName(SmolStr);

/// Why a text is not a [`DomainName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing but dots.
    #[error("the name is empty")]
    Empty,
    /// More than 253 octets.
    #[error("the name is longer than 253 characters")]
    TooLong,
    /// A label of no or more than 63 octets.
    #[error("the label {0:?} is empty or longer than 63 characters")]
    Label(String),
    /// An octet outside letters, digits, `-`, `_`.
    #[error("the character {0:?} has no place in a host name")]
    Character(char),
    /// IDNA (UTS 46) does not accept it.
    #[error("the name is not a valid international domain name")]
    Idna,
    /// An address, which is no name.
    #[error("this is an address, not a name")]
    Address,
}

impl DomainName {
    /// From what a person wrote: any case, optional trailing dot, international names (encoded as UTS 46 says).
    ///
    /// # Errors
    /// What keeps the text from being a host name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.parse::<std::net::IpAddr>().is_ok() {
            return Err(NameError::Address);
        }
        if text.is_ascii() {
            return Self::from_ascii(text);
        }
        let ascii = idna::domain_to_ascii(text).map_err(|_| NameError::Idna)?;
        Self::from_ascii(&ascii)
    }

    /// From ASCII presentation form without trailing dot; lower-cases it.
    ///
    /// # Errors
    /// What keeps the text from being a host name.
    pub fn from_ascii(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > MAX_NAME {
            return Err(NameError::TooLong);
        }
        if let Some(odd) = text.chars().find(|&c| !matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.')) {
            return Err(NameError::Character(odd));
        }
        if let Some(label) = text.split('.').find(|label| label.is_empty() || label.len() > MAX_LABEL) {
            return Err(NameError::Label(label.to_owned()));
        }
        Ok(Self(text.to_ascii_lowercase_smolstr()))
    }

    /// The text, without trailing dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_text(self) -> Arc<str> {
        self.0.into()
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl std::borrow::Borrow<str> for DomainName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for DomainName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_without_trailing_dot() {
        assert_eq!(DomainName::parse("GitHub.COM.").unwrap().as_str(), "github.com");
        assert_eq!(DomainName::parse("_ssh._tcp.example.com").unwrap().as_str(), "_ssh._tcp.example.com");
        assert_eq!(DomainName::parse("b\u{fc}cher.example").unwrap().as_str(), "xn--bcher-kva.example");
    }

    #[test]
    fn what_is_no_name_says_why() {
        assert_eq!(DomainName::parse(""), Err(NameError::Empty));
        assert_eq!(DomainName::parse("."), Err(NameError::Empty));
        assert_eq!(DomainName::parse("a..b"), Err(NameError::Label(String::new())));
        assert_eq!(DomainName::parse("a b.example"), Err(NameError::Character(' ')));
        assert_eq!(DomainName::parse("a\\.b.example"), Err(NameError::Character('\\')));
        assert_eq!(DomainName::parse("192.0.2.1"), Err(NameError::Address));
        assert_eq!(DomainName::parse("2001:db8::1"), Err(NameError::Address));
        assert_eq!(DomainName::parse(&"a".repeat(64)), Err(NameError::Label("a".repeat(64))));
        assert_eq!(DomainName::parse(&["abcdefg"; 40].join(".")), Err(NameError::TooLong));
    }
}
