use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::messages::bytes::{ANSWER, FIRST_NAME, INTERNET, Message, entry, name, pointer, record};
use crate::world::Family;

/// The n-th of the addresses for benchmarks, of which there are some 130,000.
pub fn nth_address(family: Family, n: u32) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 0, 1)) + n).into(),
        Family::V6 => {
            let [high, low] = [u16::try_from(n >> 16).unwrap(), u16::try_from(n & 0xffff).unwrap()];
            Ipv6Addr::new(0x2001, 0xdb8, 0x18, 0, 0, 1, high, low).into()
        }
    }
}

/// An answer that a name is at that many of them, from the `first` on, for five seconds.
pub fn many_addresses(family: Family, id: u16, asked: &str, first: u32, count: u32) -> Vec<u8> {
    let octets = |n| match nth_address(family, n) {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let records = (first..first + count).map(|n| record(&pointer(FIRST_NAME), family.kind(), 5, &octets(n)));
    let about = Message::new(ANSWER, entry(&name(asked), family.kind(), INTERNET));
    Message { id, answers: records.collect(), ..about }.bytes()
}
