use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is not one of the public internet: private, shared, loopback, link-local (the metadata services of
/// clouds among them), multicast, broadcast, unspecified, reserved, or an IPv6 form of such an IPv4 address.
///
/// The documentation and benchmark ranges are not private: tests and demonstrations use them for the internet.
pub(super) fn is_private(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(addr) => is_private_v4(addr),
        IpAddr::V6(addr) => is_private_v6(addr),
    }
}

/// Whether no answer with this address is ever believed, whatever the policy says of private ones: nothing that a client
/// could mean by a name is there.
pub(super) fn is_never_believed(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(addr) => is_nowhere_v4(addr),
        IpAddr::V6(addr) => {
            addr.is_loopback()
                || addr.is_unspecified()
                || addr.is_multicast()
                || holds_v4_by_convention(addr)
                || embedded_v4(addr).is_some_and(is_nowhere_v4)
        }
    }
}

fn is_nowhere_v4(addr: Ipv4Addr) -> bool {
    addr.is_loopback() || addr.is_multicast() || matches!(addr.octets(), [0, ..] | [255, 255, 255, 255])
}

/// By the IANA IPv4 special-purpose address registry.
fn is_private_v4(addr: Ipv4Addr) -> bool {
    let [a, b, c, _] = addr.octets();
    addr.is_private()
        || addr.is_loopback()
        || addr.is_link_local()
        || addr.is_multicast()
        // "This network" (RFC 791), reserved with the broadcast address (RFC 1112).
        || a == 0
        || a >= 240
        // Carrier-grade NAT (RFC 6598).
        || (a == 100 && b & 0xc0 == 64)
        // IETF protocol assignments (RFC 6890).
        || (a, b, c) == (192, 0, 0)
}

/// By the IANA IPv6 special-purpose address registry.
fn is_private_v6(addr: Ipv6Addr) -> bool {
    let [first, second, ..] = addr.segments();
    addr.is_loopback()
        || addr.is_unspecified()
        || addr.is_multicast()
        || holds_v4_by_convention(addr)
        // Unique local (RFC 4193), link-local (RFC 4291), site-local (RFC 3879).
        || first & 0xfe00 == 0xfc00
        || first & 0xffc0 == 0xfe80
        || first & 0xffc0 == 0xfec0
        // Discard-only (RFC 6666), NAT64 within a network (RFC 8215), segment routing (RFC 9602).
        || first == 0x100
        || (first, second) == (0x64, 0xff9b) && addr.segments()[2] == 1
        || first == 0x5f00
        || embedded_v4(addr).is_some_and(is_private_v4)
}

/// IPv4-mapped, -compatible and -translated addresses (RFC 4291, 2.5.5; RFC 2765): they have no place on the wire.
fn holds_v4_by_convention(addr: Ipv6Addr) -> bool {
    match addr.segments() {
        [0, 0, 0, 0, 0, 0xffff, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] => true,
        [0, 0, 0, 0, 0, 0, high, low] => (high, low) > (0, 1),
        _ => false,
    }
}

/// The IPv4 address that a translator or tunnel sends to: NAT64 (RFC 6052), 6to4 (RFC 3056), Teredo (RFC 4380).
fn embedded_v4(addr: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match addr.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => Some(join(high, low)),
        // Teredo writes the client's address with every bit turned.
        [0x2001, 0, _, _, _, _, high, low] => Some(join(!high, !low)),
        _ => None,
    }
}
