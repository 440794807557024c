//! IP packets and DNS messages.

use std::net::{IpAddr, SocketAddr};

use decider::packet::udp_packet;

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const ACK: u8 = 0x10;

/// Which twin of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

pub const BOTH: [Family; 2] = [Family::V4, Family::V6];

impl Family {
    fn pick(self, v4: &str, v6: &str) -> IpAddr {
        match self {
            Self::V4 => v4.parse().unwrap(),
            Self::V6 => v6.parse().unwrap(),
        }
    }

    pub fn client(self) -> IpAddr {
        self.pick("10.77.1.2", "fd77:1::2")
    }

    /// One whose address is no private one.
    pub fn public_client(self) -> IpAddr {
        self.pick("198.51.100.2", "2001:db8:100::2")
    }

    pub fn resolver(self) -> IpAddr {
        self.pick("10.77.2.53", "fd77:2::53")
    }

    pub fn github(self) -> IpAddr {
        self.pick("192.0.2.10", "2001:db8::10")
    }

    pub fn stranger(self) -> IpAddr {
        self.pick("203.0.113.66", "2001:db8:66::66")
    }
}

/// A TCP segment with that sequence number.
pub fn tcp(src: SocketAddr, dst: SocketAddr, flags: u8, seq: u32, payload: &[u8]) -> Vec<u8> {
    let mut segment = [src.port().to_be_bytes(), dst.port().to_be_bytes()].concat();
    segment.extend(seq.to_be_bytes());
    segment.extend([0, 0, 0, 0, 5 << 4, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    ip(src.ip(), dst.ip(), 6, &segment)
}

/// An IP packet without options.
pub fn ip(src: IpAddr, dst: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = |more: usize| u16::try_from(payload.len() + more).unwrap().to_be_bytes();
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let [high, low] = length(20);
            let header = [0x45, 0, high, low, 0, 7, 0x40, 0, 64, protocol, 0, 0];
            [&header[..], &src.octets(), &dst.octets(), payload].concat()
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let [high, low] = length(0);
            [&[0x60, 0, 0, 0, high, low, protocol, 64][..], &src.octets(), &dst.octets(), payload].concat()
        }
        _ => unreachable!("two families in one packet"),
    }
}

/// A question for a name's addresses of that family.
pub fn question(name: &str, family: Family) -> Vec<u8> {
    message(0x0100, name, family, &[])
}

/// Its answer, which counts for a minute.
pub fn answer(name: &str, family: Family, addresses: &[IpAddr]) -> Vec<u8> {
    message(0x8180, name, family, addresses)
}

/// The answer that refuses.
pub fn refused(name: &str, family: Family) -> Vec<u8> {
    message(0x8185, name, family, &[])
}

fn message(flags: u16, name: &str, family: Family, addresses: &[IpAddr]) -> Vec<u8> {
    let kind = match family {
        Family::V4 => 1_u16,
        Family::V6 => 28,
    };
    let mut bytes = Vec::new();
    for number in [7, flags, 1, u16::try_from(addresses.len()).unwrap(), 0, 0] {
        bytes.extend(number.to_be_bytes());
    }
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend([kind.to_be_bytes(), [0, 1]].concat());
    for address in addresses {
        let data = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        bytes.extend([0xc0, 12]);
        bytes.extend([kind.to_be_bytes(), [0, 1], [0, 0], [0, 60]].concat());
        bytes.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        bytes.extend(data);
    }
    bytes
}

pub fn udp(src: SocketAddr, dst: SocketAddr, payload: &[u8]) -> Vec<u8> {
    udp_packet(src, dst, payload).unwrap()
}
