use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{DomainName, Epoch, RuleId};

/// The answer to `reload`: what was changed, or would be; or why nothing was.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ReloadReport {
    /// Whether the file's policy is in force now; of a dry run, whether it could be.
    pub ok: bool,
    /// Whether nothing was to be changed.
    pub dry_run: bool,
    /// The policy's file.
    pub policy: String,
    /// Which policy is in force after it.
    pub epoch: Epoch,
    /// Why nothing was changed.
    pub failure: Option<ReloadFailure>,
    /// The file's problems and warnings, as `check --json` has them.
    pub diagnostics: Vec<Value>,
    /// The same for people.
    pub rendered: String,
    /// Rules that came.
    pub added: Vec<RuleId>,
    /// Rules that went.
    pub removed: Vec<RuleId>,
    /// Rules that say something else.
    pub changed: Vec<ChangedRule>,
    /// Keys beside the rules that have another value.
    pub settings: Vec<String>,
    /// Connections that are not allowed any more.
    pub cut: Vec<CutFlow>,
    /// Rules whose listener is not up yet: their SYNs are refused.
    pub not_ready: Vec<RuleId>,
    /// What else is to be known, such as keys that count from the next start on.
    pub notes: Vec<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Why a reload changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadFailure {
    /// The kind.
    pub kind: FailureKind,
    /// What is wrong and what to do.
    pub message: String,
}

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureKind {
    /// The file is no policy that can be used.
    Policy,
    /// It has changes that need a restart.
    Restart,
    /// The system refused.
    System,
}

/// A rule that says something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedRule {
    /// Its id.
    pub id: RuleId,
    /// What is different.
    pub what: Vec<String>,
}

/// A connection that is not allowed any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutFlow {
    /// Source address.
    pub client: IpAddr,
    /// Source port.
    pub client_port: u16,
    /// Destination address.
    pub dst: IpAddr,
    /// Destination port.
    pub dst_port: u16,
    /// The rule that had let it through, if that is known.
    pub rule: Option<RuleId>,
    /// The name that it went to, if that is known.
    pub domain: Option<DomainName>,
    /// Why it may not go on.
    pub why: String,
}

/// The last reload, as `status` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadStatus {
    /// When it ended.
    pub at: Option<Timestamp>,
    /// Whether the file's policy is in force since.
    pub ok: bool,
    /// What came of it, in a line.
    pub message: String,
    /// How many there were so far, those that changed nothing included.
    pub count: u64,
    /// Those of them that changed nothing.
    #[serde(default)]
    pub failed: u64,
}
