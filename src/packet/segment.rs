use std::net::SocketAddr;

use pnet_packet::tcp::TcpFlags;

use super::PacketError;
use super::ip::Ip;
use super::tcp::Tcp;

/// Any packet of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Source address and port.
    pub src: SocketAddr,
    /// Destination address and port.
    pub dst: SocketAddr,
    /// Sequence number of its first byte, or of its SYN.
    pub seq: u32,
    /// What it carries, as far as it was copied.
    pub payload: &'a [u8],
    /// Whether all that it carries is there.
    pub is_whole: bool,
    flags: u8,
}

impl Segment<'_> {
    /// Whether it begins a direction of a connection.
    #[must_use]
    pub const fn is_syn(&self) -> bool {
        self.flags & TcpFlags::SYN != 0
    }

    /// Whether it says what has come from the other side: all but the first do.
    #[must_use]
    pub const fn is_ack(&self) -> bool {
        self.flags & TcpFlags::ACK != 0
    }

    /// Whether it ends its direction.
    #[must_use]
    pub const fn is_fin(&self) -> bool {
        self.flags & TcpFlags::FIN != 0
    }

    /// Whether it ends the connection.
    #[must_use]
    pub const fn is_reset(&self) -> bool {
        self.flags & TcpFlags::RST != 0
    }
}

/// Reads a TCP segment, from the IP header on; its payload may be cut.
///
/// # Errors
/// What keeps the bytes from being a TCP segment with a whole header.
pub fn segment(bytes: &[u8]) -> Result<Segment<'_>, PacketError> {
    let ip = Ip::read(bytes)?;
    let Tcp { header: tcp, payload, is_whole } = Tcp::read(ip.upper?)?;
    Ok(Segment {
        src: SocketAddr::new(ip.src, tcp.get_source()),
        dst: SocketAddr::new(ip.dst, tcp.get_destination()),
        seq: tcp.get_sequence(),
        payload,
        is_whole,
        flags: tcp.get_flags(),
    })
}
