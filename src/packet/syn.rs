use std::net::SocketAddr;

use pnet_packet::tcp::TcpFlags;

use super::PacketError;
use super::ip::Ip;
use super::tcp::Tcp;

/// The flags that must be exactly SYN. ECE, CWR, PSH and URG may be set as they like.
const LOOKED_AT: u8 = TcpFlags::FIN | TcpFlags::SYN | TcpFlags::RST | TcpFlags::ACK;

/// The first packet of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Syn {
    /// Who connects: source address and port.
    pub client: SocketAddr,
    /// Where to.
    pub dst: SocketAddr,
    /// Its initial sequence number, which a retransmission repeats.
    pub seq: u32,
}

/// Reads a SYN, from the IP header on. The bytes may end anywhere behind the fixed TCP header: options and payload (TCP
/// Fast Open) are not looked at, and the copy range may have cut them off.
///
/// # Errors
/// [`PacketError::NotASyn`] for other TCP packets; else what keeps the bytes from being a whole TCP packet's beginning.
pub fn syn(bytes: &[u8]) -> Result<Syn, PacketError> {
    let ip = Ip::read(bytes)?;
    let tcp = Tcp::read(ip.upper?)?.header;
    if tcp.get_flags() & LOOKED_AT != TcpFlags::SYN {
        return Err(PacketError::NotASyn);
    }
    Ok(Syn {
        client: SocketAddr::new(ip.src, tcp.get_source()),
        dst: SocketAddr::new(ip.dst, tcp.get_destination()),
        seq: tcp.get_sequence(),
    })
}
