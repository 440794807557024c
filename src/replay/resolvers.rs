use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::dns;
use crate::model::Transport;
use crate::packet;

use super::capture::Captured;
use super::gate::DNS;
use super::link;

/// As many as a policy names.
const MOST: usize = 16;

/// Who answers questions of DNS in a capture.
#[derive(Debug, Default)]
pub struct Resolvers {
    found: BTreeSet<IpAddr>,
}

impl Resolvers {
    /// Looks at a packet.
    pub fn look_at(&mut self, captured: &Captured<'_>) {
        if let Some(resolver) = link::ip(captured.link, captured.bytes).ok().and_then(answering)
            && self.found.len() < MOST
        {
            self.found.insert(resolver);
        }
    }

    /// Them, in order.
    #[must_use]
    pub fn found(&self) -> Vec<IpAddr> {
        self.found.iter().copied().collect()
    }
}

/// Who answers by this packet, over UDP, or accepts a connection for questions.
fn answering(bytes: &[u8]) -> Option<IpAddr> {
    let summary = packet::summary(bytes).ok()?;
    let (from, _) = summary.ends();
    if from.port() != DNS || !can_be_asked(from.ip()) {
        return None;
    }
    let answers = match summary.transport {
        Transport::Udp => packet::udp(bytes).is_ok_and(|datagram| dns::answer(datagram.payload).is_ok()),
        Transport::Tcp => packet::segment(bytes).is_ok_and(|segment| segment.is_syn() && segment.is_ack()),
        Transport::Icmp | Transport::Other(_) => false,
    };
    answers.then(|| from.ip())
}

/// Whether a policy can name it: what is on the loopback is asked by nobody behind a gateway.
fn can_be_asked(address: IpAddr) -> bool {
    let odd = match address {
        IpAddr::V4(address) => address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local() || address.to_ipv4_mapped().is_some(),
    };
    !odd && !address.is_loopback() && !address.is_unspecified() && !address.is_multicast()
}
