use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::model::{DomainName, RuleId, Who};

/// A connection that lives, as `flows` shows it. What is not known is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowView {
    /// Source address.
    pub client: IpAddr,
    /// Source port.
    pub client_port: u16,
    /// Destination address.
    pub dst: IpAddr,
    /// Destination port.
    pub dst_port: u16,
    /// Transport protocol: `tcp`.
    pub proto: String,
    /// The rule that let it through.
    pub rule: RuleId,
    /// The name that leads to that rule, as known now.
    pub domain: Option<DomainName>,
    /// Its listener's port.
    pub listener_port: u16,
    /// Its mark, in hexadecimal.
    pub mark: String,
    /// Since it began, in seconds; only where the kernel notes that (`net.netfilter.nf_conntrack_timestamp`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_s: Option<u64>,
    /// Bytes from the client; only where the kernel counts them (`net.netfilter.nf_conntrack_acct`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_out: Option<u64>,
    /// Bytes to the client; as those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_in: Option<u64>,
    /// Until what is known of the name expires, in seconds; it lives on for as long as the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_s: Option<u64>,
    /// Who of this host began it.
    #[serde(flatten)]
    pub who: Who,
}
