use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::temporary::TemporaryView;
use crate::dns::State;
use crate::model::{DomainName, NamePattern, Proto, RuleId, Upstream};

/// A rule as `rules` shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RuleView {
    /// Its id.
    pub id: RuleId,
    /// Its name, or `*.` and the name that its names are below.
    pub domain: NamePattern,
    /// Its protocol.
    pub proto: Proto,
    /// Its ports.
    pub ports: Vec<u16>,
    /// `allow` or `deny`.
    pub action: String,
    /// Where Envoy connects to, if it allows.
    pub upstream: Option<Upstream>,
    /// Its mark in hexadecimal, if it allows.
    pub mark: Option<String>,
    /// Its listener's port, if it allows.
    pub listener_port: Option<u16>,
    /// Whether its listener is up, if it allows.
    pub ready: Option<bool>,
    /// The only clients that it is for; empty: everybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<IpNet>,
    /// When it ends, if its file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// For whom and how long, if it is a temporary one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporary: Option<TemporaryView>,
}

/// An observation as `cache` shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CacheEntry {
    /// The name that was asked for.
    pub name: DomainName,
    /// The address that was answered.
    pub address: IpAddr,
    /// Who asked.
    pub client: IpAddr,
    /// The answer's TTL.
    pub ttl_s: u64,
    /// Since it was learned.
    pub age_s: u64,
    /// Until it expires; 0 if it has.
    pub left_s: u64,
    /// What it is good for.
    pub state: State,
    /// How many connections of that client keep it alive.
    #[serde(default)]
    pub flows: u32,
}
