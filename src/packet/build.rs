use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use pnet_packet::ip::IpNextHeaderProtocols::Udp;
use pnet_packet::ipv4::{self, Ipv4Flags, MutableIpv4Packet};
use pnet_packet::ipv6::MutableIpv6Packet;
use pnet_packet::udp::{self, MutableUdpPacket};

const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
const UDP_HEADER: usize = 8;
/// Words of 32 bits in an IPv4 header without options.
const IHL: u8 = 5;
/// What Linux gives to packets of its own.
const HOPS: u8 = 64;

/// A whole UDP packet, from the IP header on, with its checksums. None if the ends are not of one family or the payload
/// does not fit.
#[must_use]
pub fn udp_packet(src: SocketAddr, dst: SocketAddr, payload: &[u8]) -> Option<Vec<u8>> {
    match (src, dst) {
        (SocketAddr::V4(from), SocketAddr::V4(to)) => ipv4(*from.ip(), *to.ip(), (src.port(), dst.port()), payload),
        (SocketAddr::V6(from), SocketAddr::V6(to)) => ipv6(*from.ip(), *to.ip(), (src.port(), dst.port()), payload),
        _ => None,
    }
}

fn ipv4(src: Ipv4Addr, dst: Ipv4Addr, ports: (u16, u16), payload: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = vec![0; IPV4_HEADER + UDP_HEADER + payload.len()];
    let length = u16::try_from(bytes.len()).ok()?;
    let mut datagram = datagram(bytes.get_mut(IPV4_HEADER..)?, ports, payload)?;
    let checksum = udp::ipv4_checksum(&datagram.to_immutable(), &src, &dst);
    datagram.set_checksum(unless_zero(checksum));
    let mut header = MutableIpv4Packet::new(&mut bytes)?;
    header.set_version(4);
    header.set_header_length(IHL);
    header.set_total_length(length);
    header.set_flags(Ipv4Flags::DontFragment);
    header.set_ttl(HOPS);
    header.set_next_level_protocol(Udp);
    header.set_source(src);
    header.set_destination(dst);
    let checksum = ipv4::checksum(&header.to_immutable());
    header.set_checksum(checksum);
    Some(bytes)
}

fn ipv6(src: Ipv6Addr, dst: Ipv6Addr, ports: (u16, u16), payload: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = vec![0; IPV6_HEADER + UDP_HEADER + payload.len()];
    let length = u16::try_from(UDP_HEADER + payload.len()).ok()?;
    let mut datagram = datagram(bytes.get_mut(IPV6_HEADER..)?, ports, payload)?;
    let checksum = udp::ipv6_checksum(&datagram.to_immutable(), &src, &dst);
    datagram.set_checksum(unless_zero(checksum));
    let mut header = MutableIpv6Packet::new(&mut bytes)?;
    header.set_version(6);
    header.set_payload_length(length);
    header.set_next_header(Udp);
    header.set_hop_limit(HOPS);
    header.set_source(src);
    header.set_destination(dst);
    Some(bytes)
}

fn datagram<'a>(bytes: &'a mut [u8], (src, dst): (u16, u16), payload: &[u8]) -> Option<MutableUdpPacket<'a>> {
    let length = u16::try_from(bytes.len()).ok()?;
    let mut datagram = MutableUdpPacket::new(bytes)?;
    datagram.set_source(src);
    datagram.set_destination(dst);
    datagram.set_length(length);
    datagram.set_payload(payload);
    Some(datagram)
}

/// Zero means "no checksum" (RFC 768), so a sum of zero is sent as its other form.
const fn unless_zero(checksum: u16) -> u16 {
    if checksum == 0 { u16::MAX } else { checksum }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{UdpDatagram, udp};

    #[test]
    fn what_was_built_reads_back() {
        for (src, dst) in [("192.0.2.53:53", "10.0.0.2:4000"), ("[2001:db8::53]:53", "[fd00::2]:4000")] {
            let (src, dst) = (src.parse().unwrap(), dst.parse().unwrap());
            let bytes = udp_packet(src, dst, b"hello").unwrap();
            assert_eq!(udp(&bytes).unwrap(), UdpDatagram { src, dst, payload: b"hello" });
        }
    }

    #[test]
    fn what_cannot_be_is_not_built() {
        let (v4, v6) = ("192.0.2.53:53".parse().unwrap(), "[2001:db8::53]:53".parse().unwrap());
        assert_eq!(udp_packet(v4, v6, b""), None);
        assert_eq!(udp_packet(v4, v4, &vec![0; 65_508]), None);
        assert_eq!(udp_packet(v6, v6, &vec![0; 65_528]), None);
    }
}
