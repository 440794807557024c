use std::net::IpAddr;

use serde::{Deserialize, Serialize};

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
