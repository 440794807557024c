use std::net::SocketAddr;

use pnet_packet::ip::IpNextHeaderProtocols;
use pnet_packet::udp::UdpPacket;

use super::PacketError;
use super::ip::Ip;

/// Bytes of a UDP header (RFC 768).
const UDP_HEADER: usize = 8;

/// A whole UDP datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UdpDatagram<'a> {
    /// Source address and port.
    pub src: SocketAddr,
    /// Destination address and port.
    pub dst: SocketAddr,
    /// What it carries.
    pub payload: &'a [u8],
}

/// Reads a UDP datagram, from the IP header on.
///
/// # Errors
/// If it is not UDP, not all of it is there, or its lengths disagree: what stands between the end of the datagram and
/// the end of the packet would pass unseen.
pub fn udp(bytes: &[u8]) -> Result<UdpDatagram<'_>, PacketError> {
    let ip = Ip::read(bytes)?;
    let upper = ip.upper?.of(IpNextHeaderProtocols::Udp.0)?;
    if upper.bytes.len() < upper.length {
        return Err(PacketError::Truncated);
    }
    let header = UdpPacket::new(upper.bytes).ok_or(PacketError::Length)?;
    if usize::from(header.get_length()) != upper.length {
        return Err(PacketError::Length);
    }
    Ok(UdpDatagram {
        src: SocketAddr::new(ip.src, header.get_source()),
        dst: SocketAddr::new(ip.dst, header.get_destination()),
        payload: upper.bytes.get(UDP_HEADER..).ok_or(PacketError::Length)?,
    })
}
