use std::net::IpAddr;

/// An address as one number, which is quick to hash. An IPv4 address has that of the IPv6 address with the same low bits, so
/// equal numbers do not mean equal addresses.
#[must_use]
pub fn address_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}
