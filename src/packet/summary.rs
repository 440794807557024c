use std::net::SocketAddr;

use crate::model::Transport;

use super::PacketError;
use super::ip::{Ip, Upper};

/// Protocols whose header begins with source and destination port: TCP, UDP, DCCP, SCTP, UDP-Lite (IANA numbers).
const WITH_PORTS: [u8; 5] = [6, 17, 33, 132, 136];

/// What can be told of any packet that has a sound IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Who sent it; port 0 where there is none.
    pub client: SocketAddr,
    /// Where to; port 0 where there is none.
    pub dst: SocketAddr,
    /// What it carries.
    pub transport: Transport,
}

impl Summary {
    /// Source and destination.
    #[must_use]
    pub const fn ends(&self) -> (SocketAddr, SocketAddr) {
        (self.client, self.dst)
    }
}

/// Reads of a packet, from the IP header on, what a report about it says. Fragments, unknown protocols and damage behind
/// the IP header are no errors: there are only no ports to tell then.
///
/// # Errors
/// If the IP header itself is damaged.
pub fn summary(bytes: &[u8]) -> Result<Summary, PacketError> {
    let ip = Ip::read(bytes)?;
    let (src_port, dst_port) = ip.upper.as_ref().map_or((0, 0), ports);
    let protocol = ip.upper.as_ref().map_or(ip.first_protocol, |upper| upper.protocol);
    Ok(Summary {
        client: SocketAddr::new(ip.src, src_port),
        dst: SocketAddr::new(ip.dst, dst_port),
        transport: Transport::from_number(protocol),
    })
}

fn ports(upper: &Upper<'_>) -> (u16, u16) {
    match *upper.bytes {
        [a, b, c, d, ..] if WITH_PORTS.contains(&upper.protocol) => {
            (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
        }
        _ => (0, 0),
    }
}
