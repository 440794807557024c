use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::reload::ReloadStatus;
use super::temporary::TemporaryView;
use crate::model::Epoch;
use crate::record::Totals;

/// Version of the protocol; a request of another version is refused.
pub const VERSION: u32 = 1;

/// What a client can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Whether all is in force, and the counters.
    Status {},
    /// Recent decisions.
    Events {
        /// How many of the past at most.
        last: usize,
        /// Whether to go on with new ones.
        follow: bool,
    },
    /// What would become of a connection, and why.
    Explain {
        /// Who would connect.
        client: IpAddr,
        /// Where to.
        dst: IpAddr,
        /// Destination port.
        port: u16,
    },
    /// The observations.
    Cache {
        /// Only of this client.
        client: Option<IpAddr>,
        /// Only of this name.
        name: Option<String>,
        /// How many at most.
        limit: usize,
    },
    /// The rules in force.
    Rules {},
    /// The connections that live.
    Flows {},
    /// Read the policy file again and put it in force.
    Reload {
        /// Only say what would be changed.
        dry_run: bool,
    },
    /// The temporary rules.
    Temporary {},
    /// Let something through for a while.
    Allow {
        /// `NAME[:PORT][/PROTO]`.
        target: String,
        /// For how long, in seconds.
        for_s: u64,
        /// Only this client, by its source address.
        client: Option<IpAddr>,
        /// Only say what would be allowed.
        dry_run: bool,
    },
    /// End temporary rules now.
    Revoke {
        /// A rule's id, or the name of some.
        which: String,
    },
    /// End, and remove every trace from the kernel.
    Down {},
}

impl Request {
    /// Whether it changes anything, or has decider do work of which nobody else should be the cause.
    #[must_use]
    pub const fn is_command(&self) -> bool {
        match self {
            Self::Reload { .. } | Self::Allow { .. } | Self::Revoke { .. } | Self::Down {} => true,
            Self::Status {}
            | Self::Events { .. }
            | Self::Explain { .. }
            | Self::Cache { .. }
            | Self::Rules {}
            | Self::Temporary {}
            | Self::Flows {} => false,
        }
    }
}

/// A request with the protocol's version, as it goes over the wire.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope<T> {
    v: u32,
    #[serde(flatten)]
    body: T,
}

/// A line from the server.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line<T> {
    /// The answer to the request.
    Reply(T),
    /// There is none.
    Error(Failure),
    /// One event of a stream.
    Event(T),
    /// How many events the reader missed.
    Gap(u64),
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What is wrong.
    pub message: String,
}

/// The line (with its end) that asks for something.
#[must_use]
pub fn request_line(request: &Request) -> String {
    line(request)
}

/// The line (with its end) that the server sends.
#[must_use]
pub fn server_line<T: Serialize>(body: &Line<T>) -> String {
    line(body)
}

fn line<T: Serialize>(body: &T) -> String {
    let envelope = Envelope { v: VERSION, body };
    // These types have string keys and finite numbers only, so this cannot fail.
    let mut text = serde_json::to_string(&envelope).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads a request.
///
/// # Errors
/// What is wrong with it, for the one who sent it.
pub fn parse_request(line: &[u8]) -> Result<Request, Failure> {
    let failure = |message| Failure { message };
    let mut value: serde_json::Value = serde_json::from_slice(line)
        .map_err(|error| failure(format!("this is no JSON object on one line: {error}")))?;
    let version = value.as_object_mut().and_then(|object| object.remove("v"));
    match version.as_ref().and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(other) => {
            return Err(failure(format!("protocol version {other} is not spoken here: use {VERSION}")));
        }
        None => return Err(failure(format!("the field \"v\" is missing: it must be {VERSION}"))),
    }
    serde_json::from_value(value).map_err(|error| failure(format!("unknown request: {error}")))
}

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
}

/// Something that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degraded {
    /// A stable word: `envoy`, `listener`, `relay`, `ruleset`, `routes`, `worker`, `journal`, `flows`, `reload`.
    pub what: String,
    /// What is wrong and what to do.
    pub message: String,
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
    /// `starting`, `live`, `silent`, `down`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_read_back() {
        let requests = [
            Request::Status {},
            Request::Events { last: 10, follow: true },
            Request::Explain { client: [10, 0, 0, 1].into(), dst: [192, 0, 2, 1].into(), port: 22 },
            Request::Cache { client: None, name: Some("a.example".into()), limit: 5 },
            Request::Rules {},
            Request::Flows {},
            Request::Reload { dry_run: true },
            Request::Temporary {},
            Request::Allow { target: "a.example".into(), for_s: 60, client: Some([10, 0, 0, 1].into()), dry_run: true },
            Request::Revoke { which: "a.example".into() },
            Request::Down {},
        ];
        for request in requests {
            assert_eq!(parse_request(request_line(&request).as_bytes()), Ok(request));
        }
    }

    #[test]
    fn bad_requests_say_why() {
        let bad: [(&[u8], &str); 6] = [
            (b"", "no JSON object"),
            (b"[]", "\"v\" is missing"),
            (b"{\"request\":\"status\"}", "\"v\" is missing"),
            (b"{\"v\":2,\"request\":\"status\"}", "version 2"),
            (b"{\"v\":1,\"request\":\"stop\"}", "unknown request"),
            (b"{\"v\":1,\"request\":\"status\",\"x\":1}", "unknown"),
        ];
        for (line, words) in bad {
            let failure = parse_request(line).unwrap_err();
            assert!(failure.message.contains(words), "{failure:?}");
        }
    }
}
