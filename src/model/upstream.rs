use std::fmt;

use serde::{Deserialize, Serialize};

/// Where Envoy connects to for an allowed connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Upstream {
    /// To where the rule's name is by Envoy's own question.
    Resolve,
    /// To the address that the client connected to, which decider has found behind an allowed name.
    Original,
}

impl Upstream {
    /// The word for it in the policy file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Original => "original",
        }
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
