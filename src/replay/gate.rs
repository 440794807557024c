use std::net::{IpAddr, SocketAddr};

use crate::model::{Reason, Transport};
use crate::policy::Policy;

/// The port of DNS.
pub const DNS: u16 = 53;
/// DNS over TLS and QUIC.
const ENCRYPTED_DNS: u16 = 853;
/// Names asked of everybody on a link: mDNS and LLMNR.
const MULTICAST_DNS: [u16; 2] = [5353, 5355];

/// The first packet of what begins.
#[derive(Clone, Copy, Debug)]
pub struct First {
    /// Who sends it.
    pub client: SocketAddr,
    /// Where to.
    pub dst: SocketAddr,
    /// What carries it.
    pub transport: Transport,
    /// Its type, if it is ICMP.
    pub icmp: Option<u8>,
    /// Whether it is a clean SYN.
    pub is_syn: bool,
    /// Whether it comes from the host that decider runs on.
    pub is_local: bool,
    /// Whether it goes to that host.
    pub is_to_here: bool,
}

/// What the ruleset makes of a first packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It is let be.
    Passes,
    /// A question to a resolver of the policy.
    Asks,
    /// A SYN that a worker decides.
    Queued,
    /// Refused without a worker.
    Refused(Reason),
}

/// Follows the chains of the ruleset (`kernel/ruleset`: `from_client`, `from_host`, `queued_or_refused`), as far as what they
/// ask is in a capture. Nothing of interfaces and routes is.
pub fn gate(policy: &Policy, first: &First) -> Gate {
    let First { client, dst, transport, .. } = *first;
    if keeps_links_up(first) {
        return Gate::Passes;
    }
    if !first.is_local && (is_link_local(client.ip()) || !policy.spec().gateway.covers(client.ip())) {
        return Gate::Refused(Reason::ClientNotCovered);
    }
    if matches!(transport, Transport::Tcp | Transport::Udp) && dst.port() == DNS {
        return question(policy, first);
    }
    if first.is_to_here {
        return if first.is_local { Gate::Passes } else { Gate::Refused(Reason::LocalService) };
    }
    queued_or_refused(policy, first)
}

fn question(policy: &Policy, first: &First) -> Gate {
    if !policy.spec().dns.resolvers.contains(&first.dst.ip()) {
        return if first.is_local && first.is_to_here {
            Gate::Passes
        } else {
            Gate::Refused(Reason::ResolverNotTrusted)
        };
    }
    if first.transport == Transport::Tcp && !first.is_syn { Gate::Refused(Reason::NotASyn) } else { Gate::Asks }
}

fn queued_or_refused(policy: &Policy, first: &First) -> Gate {
    let port = first.dst.port();
    let reason = match first.transport {
        Transport::Udp if port == ENCRYPTED_DNS => Reason::EncryptedDns,
        Transport::Udp if MULTICAST_DNS.contains(&port) => Reason::ResolverNotTrusted,
        Transport::Udp | Transport::Icmp | Transport::Other(_) => Reason::ProtoNotAllowed,
        Transport::Tcp if !first.is_syn => Reason::NotASyn,
        Transport::Tcp if policy.ports().binary_search(&port).is_ok() => return Gate::Queued,
        Transport::Tcp if port == ENCRYPTED_DNS => Reason::EncryptedDns,
        Transport::Tcp if port == MULTICAST_DNS[1] => Reason::ResolverNotTrusted,
        Transport::Tcp => Reason::PortNotAllowed,
    };
    Gate::Refused(reason)
}

/// What `kernel/ruleset/upkeep.rs` lets be, and errors about connections that there are.
fn keeps_links_up(first: &First) -> bool {
    let (from, to) = (first.client.port(), first.dst.port());
    match (first.transport, first.icmp) {
        (Transport::Icmp, Some(kind)) if first.client.is_ipv4() => matches!(kind, 3 | 11 | 12),
        // Errors; routers, neighbours, multicast listeners (IANA, ICMPv6 parameters).
        (Transport::Icmp, Some(kind)) => matches!(kind, 1..=4 | 130..=136 | 143) || (first.is_local && kind == 137),
        (Transport::Udp, _) if first.is_local => {
            let both = |ports: [u16; 2]| ports.contains(&from) && ports.contains(&to);
            both([67, 68]) || both([546, 547])
        }
        (Transport::Udp, _) => matches!((from, to), (68, 67) | (546, 547)),
        // IGMP.
        (Transport::Other(number), _) => first.is_local && number == 2,
        (Transport::Tcp | Transport::Icmp, _) => false,
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}
