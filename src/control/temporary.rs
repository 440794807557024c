use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::reload::{CutFlow, FailureKind};
use crate::model::{Epoch, NamePattern, Proto, RuleId};

/// A temporary rule that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// `NAME[:PORT][/PROTO]`.
    pub target: String,
    /// For how long, in seconds.
    pub for_s: u64,
    /// The only client; none: everybody.
    pub client: Option<IpAddr>,
    /// Only say what would be allowed.
    pub dry_run: bool,
    /// The user who asks.
    pub by: u32,
}

/// A temporary rule as `allow --list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemporaryView {
    /// Its id.
    pub id: RuleId,
    /// Its name, or `*.` and the name that its names are below.
    pub domain: NamePattern,
    /// Its port.
    pub port: u16,
    /// Its protocol.
    pub proto: Proto,
    /// The only client that it is for; none: everybody.
    pub client: Option<IpAddr>,
    /// How long it was asked for, in seconds.
    pub for_s: u64,
    /// How long it still is in force, in seconds, begun ones included.
    pub left_s: u64,
    /// When it ends, if nobody sets the clock.
    pub ends: Option<Timestamp>,
    /// The user who asked for it.
    pub by: u32,
}

/// The answer to `allow` and `revoke`: what was done, or would be; or why nothing was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemporaryReport {
    /// Whether what was asked for is in force now; of a dry run, whether it could be.
    pub ok: bool,
    /// Whether nothing was to be changed.
    pub dry_run: bool,
    /// Why nothing was changed.
    pub failure: Option<TemporaryFailure>,
    /// The rules that it is about: the one that came, or those that went.
    pub rules: Vec<TemporaryView>,
    /// Whether there was such a rule already, which has a new end now.
    pub renewed: bool,
    /// What was assumed, and what else is to be known.
    pub notes: Vec<String>,
    /// Connections that were ended with the rules.
    pub cut: Vec<CutFlow>,
    /// Rules whose listener is not up yet: their SYNs are refused.
    pub not_ready: Vec<RuleId>,
    /// Which policy is in force after it.
    pub epoch: Epoch,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Why a temporary rule was not changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemporaryFailure {
    /// The kind: `policy` if there can be no such rule, or there is none.
    pub kind: FailureKind,
    /// The word of the policy's checker for it, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
}
