use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::reload::ReloadStatus;
use super::temporary::TemporaryView;
use crate::model::Epoch;
use crate::record::Totals;

/// The answer to `status`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// decider's version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Since its start.
    pub uptime_s: u64,
    /// `ok` or `degraded`.
    pub state: String,
    /// What is missing, if degraded.
    pub problems: Vec<Degraded>,
    /// `enforce` or `audit`.
    pub mode: String,
    /// The policy's file.
    pub policy: String,
    /// Which policy is in force.
    pub epoch: Epoch,
    /// The last reload, if there was one.
    #[serde(default)]
    pub reload: Option<ReloadStatus>,
    /// Number of rules, temporary ones included.
    pub rules: usize,
    /// The temporary ones.
    #[serde(default)]
    pub temporary: Vec<TemporaryView>,
    /// Listeners that are up, of those that the rules need.
    pub listeners_ready: usize,
    /// Listeners that the rules need.
    pub listeners: usize,
    /// Envoy.
    pub envoy: EnvoyStatus,
    /// The SYN counters.
    pub counters: Totals,
    /// Refused by the kernel's rules alone, by reason.
    pub refused_in_kernel: BTreeMap<String, u64>,
    /// DNS messages by outcome, and the cache.
    pub dns: DnsStatus,
    /// What is left to the kernel.
    #[serde(default)]
    pub fast_path: FastPathStatus,
    /// Each queue.
    pub queues: Vec<QueueStatus>,
    /// How the packets get into the queues: `native` or `xt`.
    pub queue_statement: String,
    /// Repairs of the kernel's state.
    pub heal: HealStatus,
    /// What the process has given up.
    #[serde(default)]
    pub sandbox: SandboxStatus,
    /// Records that the recorder missed because its channel was full.
    pub lost_records: u64,
    /// Observations that were not saved because the journal was behind or failed.
    pub lost_journal: u64,
    /// The file that events are written to, if there is one.
    #[serde(default)]
    pub event_file: Option<EventFileStatus>,
}

/// What is left to the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FastPathStatus {
    /// One of [`STATES`](Self::STATES).
    pub state: String,
    /// What ends it when decider does, one of [`ENDS`](Self::ENDS); empty where it is off.
    #[serde(default)]
    pub ends_with: String,
    /// Connections (client, destination, port) that the kernel lets through by itself now.
    pub elements: usize,
    /// Those that there may be.
    pub capacity: usize,
    /// SYNs that it has let through by itself, those sent again among them.
    pub allowed: u64,
    /// Of those, SYNs that it has told of, with an event for each that was not sent again. Others are under way, or lost.
    pub told: u64,
    /// Of those, SYNs sent again.
    pub repeated: u64,
}

impl FastPathStatus {
    /// Not wanted by the policy; in use; wanted, but the kernel did not do what it was told, so everything goes to the queues.
    pub const STATES: [&str; 3] = ["off", "on", "shut"];
    /// The process, at once; a lease, after three seconds at most.
    pub const ENDS: [&str; 2] = ["process", "lease"];
}

/// The file that events are written to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventFileStatus {
    /// Where.
    pub path: String,
    /// Events that were written.
    pub written: u64,
    /// Events that could not be written, or came faster than they could.
    pub lost: u64,
    /// Why they cannot be written now, if they cannot.
    pub failure: Option<String>,
}

/// Something that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degraded {
    /// A stable word, one of [`WORDS`](Self::WORDS).
    pub what: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl Degraded {
    /// What can be missing.
    pub const WORDS: [&str; 12] = [
        "ruleset",
        "routes",
        "backstop",
        "worker",
        "relay",
        "envoy",
        "listener",
        "reload",
        "journal",
        "flows",
        "events",
        "fast-path",
    ];
}

/// What the process has given up, in words; `off` where it was told to keep everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxStatus {
    /// Files: `restricted`, and how far, or why not.
    pub files: String,
    /// System calls: `restricted`, or why not.
    pub calls: String,
    /// The capabilities that are left.
    pub capabilities: Vec<String>,
}

/// Envoy, as decider sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnvoyStatus {
    /// Whether decider starts it.
    pub managed: bool,
    /// One of [`STATES`](Self::STATES).
    pub state: String,
    /// Its process, if known.
    pub pid: Option<u32>,
    /// Whether it was running before this decider.
    pub adopted: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// The last thing that went wrong.
    pub last_error: Option<String>,
}

impl EnvoyStatus {
    /// What it can do.
    pub const STATES: [&str; 4] = ["starting", "live", "silent", "down"];
}

/// DNS messages and the cache.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DnsStatus {
    /// Messages by outcome.
    pub messages: BTreeMap<String, u64>,
    /// The connections of DNS over TCP.
    #[serde(default)]
    pub tcp: TcpStatus,
    /// Observations held, those of names that no rule mentions not counted.
    pub observations: usize,
    /// Observations that can be held.
    pub capacity: usize,
}

/// The connections of DNS over TCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpStatus {
    /// Open now.
    pub open: usize,
    /// So far, all of those below among them but the strangers.
    pub connections: u64,
    /// Reset because there were too many.
    pub overload: u64,
    /// Reset because of a message.
    pub refused: u64,
    /// Reset because the resolver could not be reached or broke off.
    pub resolver_failed: u64,
    /// Ended because the client broke off or did not read.
    pub client_failed: u64,
    /// Closed because they meant the relay itself.
    pub strangers: u64,
}

/// One queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QueueStatus {
    /// Its number.
    pub number: u16,
    /// `syn` or `dns`.
    pub purpose: String,
    /// Whether its worker runs.
    pub up: bool,
    /// Packets that wait.
    pub waiting: u64,
    /// Dropped because the queue was full.
    pub dropped_full: u64,
    /// Dropped because the socket was full.
    pub dropped_socket: u64,
    /// Receive calls that failed, late verdicts among them.
    pub receive_errors: u64,
    /// Verdicts that could not be sent.
    pub verdict_errors: u64,
    /// How often its worker panicked.
    pub panics: u64,
}

/// Repairs of the kernel's state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct HealStatus {
    /// How often the ruleset was put back.
    pub ruleset: u64,
    /// How often routing was put back.
    pub routes: u64,
    /// On how many interfaces the backstop was put back.
    #[serde(default)]
    pub backstop: u64,
    /// The last repair.
    pub last: Option<String>,
    /// When that was.
    pub last_at: Option<Timestamp>,
}
