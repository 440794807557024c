use std::net::IpAddr;

use pnet_packet::ipv4::{Ipv4Flags, Ipv4Packet};
use pnet_packet::ipv6::Ipv6Packet;

use super::PacketError;
use super::extension;

/// Bytes of an IPv4 header without options (RFC 791, 3.1).
const IPV4_HEADER: usize = 20;
/// Bytes of the fixed IPv6 header (RFC 8200, 3).
const IPV6_HEADER: usize = 40;
/// IPv4 options that name another destination: loose and strict source route (RFC 791, 3.1).
const SOURCE_ROUTES: [u8; 2] = [131, 137];

/// An IP packet whose fixed header is sound.
#[derive(Debug)]
pub(super) struct Ip<'a> {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// The protocol number in the fixed header; in IPv6 it may be that of an extension header.
    pub first_protocol: u8,
    /// What it carries, or why that is not looked at.
    pub upper: Result<Upper<'a>, PacketError>,
}

/// What an IP packet carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upper<'a> {
    /// Its protocol number.
    pub protocol: u8,
    /// As much of it as was copied, without what may stand behind the packet's end.
    pub bytes: &'a [u8],
    /// How long it is by the IP header: at least as much as the bytes.
    pub length: usize,
}

impl<'a> Ip<'a> {
    /// Reads an IP header of either version.
    ///
    /// # Errors
    /// If the fixed header is damaged; what is wrong behind it is told by [`upper`](Self::upper).
    pub fn read(bytes: &'a [u8]) -> Result<Self, PacketError> {
        match bytes.first().map(|first| first >> 4) {
            Some(4) => Self::v4(bytes),
            Some(6) => Self::v6(bytes),
            Some(other) => Err(PacketError::Version(other)),
            None => Err(PacketError::Truncated),
        }
    }

    fn v4(bytes: &'a [u8]) -> Result<Self, PacketError> {
        let header = Ipv4Packet::new(bytes).ok_or(PacketError::Truncated)?;
        let header_length = usize::from(header.get_header_length()) * 4;
        let total = usize::from(header.get_total_length());
        if header_length < IPV4_HEADER || total < header_length {
            return Err(PacketError::Length);
        }
        let options = bytes.get(IPV4_HEADER..header_length).ok_or(PacketError::Truncated)?;
        let protocol = header.get_next_level_protocol().0;
        let upper = if header.get_fragment_offset() != 0 || header.get_flags() & Ipv4Flags::MoreFragments != 0 {
            Err(PacketError::Fragment)
        } else if has_source_route(options) {
            Err(PacketError::SourceRoute)
        } else {
            Upper::within(bytes, header_length, total, protocol)
        };
        Ok(Self {
            src: header.get_source().into(),
            dst: header.get_destination().into(),
            first_protocol: protocol,
            upper,
        })
    }

    fn v6(bytes: &'a [u8]) -> Result<Self, PacketError> {
        let header = Ipv6Packet::new(bytes).ok_or(PacketError::Truncated)?;
        let total = IPV6_HEADER + usize::from(header.get_payload_length());
        let (src, dst) = (header.get_source(), header.get_destination());
        let protocol = header.get_next_header().0;
        let upper = if src.to_ipv4_mapped().is_some() || dst.to_ipv4_mapped().is_some() {
            Err(PacketError::MappedAddress)
        } else {
            Upper::within(bytes, IPV6_HEADER, total, protocol).and_then(extension::skip)
        };
        Ok(Self { src: src.into(), dst: dst.into(), first_protocol: protocol, upper })
    }
}

impl<'a> Upper<'a> {
    /// What lies between the header's end and the packet's end.
    fn within(bytes: &'a [u8], start: usize, total: usize, protocol: u8) -> Result<Self, PacketError> {
        let length = total.checked_sub(start).ok_or(PacketError::Length)?;
        let end = total.min(bytes.len());
        let bytes = bytes.get(start..end).ok_or(PacketError::Truncated)?;
        Ok(Self { protocol, bytes, length })
    }

    /// The same packet with `count` bytes of headers taken off its front.
    pub fn behind(self, count: usize, protocol: u8) -> Result<Self, PacketError> {
        let length = self.length.checked_sub(count).ok_or(PacketError::Length)?;
        let bytes = self.bytes.get(count..).ok_or(PacketError::Truncated)?;
        Ok(Self { protocol, bytes, length })
    }

    /// This, if it is of the protocol with that number.
    pub fn of(self, protocol: u8) -> Result<Self, PacketError> {
        if self.protocol == protocol { Ok(self) } else { Err(PacketError::Transport(self.protocol)) }
    }
}

/// Whether IPv4 options hold a source route. Options that end early or lie about their length end the search: the
/// kernel drops such a packet itself (`ip_options_compile`, `net/ipv4/ip_options.c`).
fn has_source_route(mut options: &[u8]) -> bool {
    while let Some((&kind, rest)) = options.split_first() {
        let skip = match kind {
            // End of the list, and padding (RFC 791, 3.1): one byte each.
            0 => return false,
            1 => 0,
            _ if SOURCE_ROUTES.contains(&kind) => return true,
            _ => usize::from(rest.first().copied().unwrap_or(0)).saturating_sub(1).max(1),
        };
        options = rest.get(skip..).unwrap_or_default();
    }
    false
}
