use super::PacketError;
use super::ip::Upper;

/// Extension headers that are looked behind at most. RFC 8200 (4.1) has each at most once, destination options twice.
const MAX_HEADERS: usize = 8;

/// Protocol numbers (IANA, assigned internet protocol numbers).
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION_OPTIONS: u8 = 60;

/// The first protocol behind the IPv6 extension headers. Others than hop-by-hop, routing, fragment and destination
/// options count as the protocol that the packet is of, so it will not be the one looked for.
pub(super) fn skip(mut upper: Upper<'_>) -> Result<Upper<'_>, PacketError> {
    for index in 0..=MAX_HEADERS {
        upper = match upper.protocol {
            HOP_BY_HOP if index > 0 => return Err(PacketError::Extensions),
            HOP_BY_HOP | DESTINATION_OPTIONS => skip_options(upper)?,
            ROUTING => skip_routing(upper)?,
            FRAGMENT => skip_fragment(upper)?,
            _ => return Ok(upper),
        };
    }
    Err(PacketError::Extensions)
}

/// A header that says its length in 8-byte units without the first (RFC 8200, 4.3 and 4.6).
fn skip_options(upper: Upper<'_>) -> Result<Upper<'_>, PacketError> {
    let &[next, length, ..] = upper.bytes else {
        return Err(PacketError::Truncated);
    };
    upper.behind((usize::from(length) + 1) * 8, next)
}

/// Sound only when the packet has reached its last destination: else the address in the IP header is not it.
fn skip_routing(upper: Upper<'_>) -> Result<Upper<'_>, PacketError> {
    let &[_, _, _, segments_left, ..] = upper.bytes else {
        return Err(PacketError::Truncated);
    };
    if segments_left != 0 {
        return Err(PacketError::SourceRoute);
    }
    skip_options(upper)
}

/// Sound only when it is the one piece of its packet, an atomic fragment (RFC 6946).
fn skip_fragment(upper: Upper<'_>) -> Result<Upper<'_>, PacketError> {
    let &[next, _, offset_high, offset_low, ..] = upper.bytes else {
        return Err(PacketError::Truncated);
    };
    // 13 bits of offset, two reserved, and the bit that says that more follow (RFC 8200, 4.5).
    if u16::from_be_bytes([offset_high, offset_low]) & 0xfff9 != 0 {
        return Err(PacketError::Fragment);
    }
    upper.behind(8, next)
}
