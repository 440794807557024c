use pnet_packet::ip::IpNextHeaderProtocols;
use pnet_packet::tcp::TcpPacket;

use super::PacketError;
use super::ip::Upper;

/// Bytes of a header without options (RFC 9293, 3.1).
const HEADER: usize = 20;

/// A TCP segment with a header that can be right.
pub(super) struct Tcp<'a> {
    pub header: TcpPacket<'a>,
    /// What it carries, as far as it was copied.
    pub payload: &'a [u8],
    /// Whether all that it carries is there.
    pub is_whole: bool,
}

impl<'a> Tcp<'a> {
    pub fn read(upper: Upper<'a>) -> Result<Self, PacketError> {
        let upper = upper.of(IpNextHeaderProtocols::Tcp.0)?;
        let header = TcpPacket::new(upper.bytes).ok_or(PacketError::Truncated)?;
        let length = usize::from(header.get_data_offset()) * 4;
        if length < HEADER || length > upper.length {
            return Err(PacketError::Length);
        }
        let payload = upper.bytes.get(length..).unwrap_or_default();
        Ok(Self { header, payload, is_whole: upper.bytes.len() == upper.length })
    }
}
