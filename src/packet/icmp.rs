use pnet_packet::ip::IpNextHeaderProtocols::{Icmp, Icmpv6};

use super::PacketError;
use super::ip::Ip;

/// The type of an ICMP message of either version, from the IP header on.
///
/// # Errors
/// If it is none, or its type is not there.
pub fn icmp_type(bytes: &[u8]) -> Result<u8, PacketError> {
    let ip = Ip::read(bytes)?;
    let own = if ip.src.is_ipv4() { Icmp } else { Icmpv6 };
    let upper = ip.upper?.of(own.0)?;
    upper.bytes.first().copied().ok_or(PacketError::Truncated)
}
