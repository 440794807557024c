use std::fmt;

use serde::{Deserialize, Serialize};

/// What a rule says its traffic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proto {
    /// TCP whose port defaults to 22.
    Ssh,
    /// TCP on a port that the rule names.
    Tcp,
}

impl Proto {
    /// The word for it in the policy file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Tcp => "tcp",
        }
    }

    /// The port a rule has when it names none.
    #[must_use]
    pub const fn default_port(self) -> Option<u16> {
        match self {
            Self::Ssh => Some(22),
            Self::Tcp => None,
        }
    }
}

impl fmt::Display for Proto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The transport protocol of a packet, by its IP protocol number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// 6
    Tcp,
    /// 17
    Udp,
    /// 1 and 58
    Icmp,
    /// Any other number.
    Other(u8),
}

impl Transport {
    /// From the number in the IP header (IANA protocol numbers).
    #[must_use]
    pub const fn from_number(number: u8) -> Self {
        match number {
            6 => Self::Tcp,
            17 => Self::Udp,
            1 | 58 => Self::Icmp,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp => f.pad("tcp"),
            Self::Udp => f.pad("udp"),
            Self::Icmp => f.pad("icmp"),
            Self::Other(number) => write!(f, "ip-{number}"),
        }
    }
}
