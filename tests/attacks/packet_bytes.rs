//! IP packets, put together from readable pieces.

use std::net::{IpAddr, SocketAddr};

pub use crate::messages::bytes::{cut, patch};

pub const TCP: u8 = 6;
pub const UDP: u8 = 17;

/// TCP flags (RFC 9293, 3.1).
pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;
pub const URG: u8 = 0x20;
pub const ECE: u8 = 0x40;
pub const CWR: u8 = 0x80;

/// Which twin of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

pub const BOTH: [Family; 2] = [Family::V4, Family::V6];

/// Who takes part.
impl Family {
    pub fn pick(self, v4: &str, v6: &str) -> IpAddr {
        match self {
            Self::V4 => v4.parse().unwrap(),
            Self::V6 => v6.parse().unwrap(),
        }
    }

    pub fn client(self) -> SocketAddr {
        SocketAddr::new(self.pick("10.77.1.2", "fd77:1::2"), 40_000)
    }

    pub fn neighbour(self) -> SocketAddr {
        SocketAddr::new(self.pick("10.77.1.3", "fd77:1::3"), 40_000)
    }

    pub fn resolver(self) -> SocketAddr {
        SocketAddr::new(self.pick("10.77.2.53", "fd77:2::53"), 53)
    }

    /// Where github.com is.
    pub fn github(self) -> SocketAddr {
        SocketAddr::new(self.pick("192.0.2.10", "2001:db8::10"), 22)
    }

    /// The IP header without options, in bytes.
    pub fn header(self) -> usize {
        match self {
            Self::V4 => 20,
            Self::V6 => 40,
        }
    }
}

/// An IP packet without options, with the length that it has.
pub fn ip(src: IpAddr, dst: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let length = u16::try_from(20 + payload.len()).unwrap();
            let mut bytes = vec![0x45, 0];
            bytes.extend(length.to_be_bytes());
            bytes.extend([0, 7, 0x40, 0, 64, protocol, 0, 0]);
            bytes.extend(src.octets());
            bytes.extend(dst.octets());
            bytes.extend(payload);
            bytes
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let mut bytes = vec![0x60, 0, 0, 0];
            bytes.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
            bytes.extend([protocol, 64]);
            bytes.extend(src.octets());
            bytes.extend(dst.octets());
            bytes.extend(payload);
            bytes
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => unreachable!("two families in one packet"),
    }
}

/// A TCP segment; the data offset counts the options, which must be whole words.
pub fn tcp(src_port: u16, dst_port: u16, flags: u8, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let words = u8::try_from(5 + options.len() / 4).unwrap();
    let mut bytes = Vec::new();
    bytes.extend(src_port.to_be_bytes());
    bytes.extend(dst_port.to_be_bytes());
    bytes.extend(0x1122_3344_u32.to_be_bytes());
    bytes.extend([0, 0, 0, 0, words << 4, flags, 0xff, 0xff, 0, 0, 0, 0]);
    bytes.extend(options);
    bytes.extend(payload);
    bytes
}

/// A UDP datagram with the length that it has.
pub fn udp(src: SocketAddr, dst: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap();
    let ports = [src.port().to_be_bytes(), dst.port().to_be_bytes()].concat();
    ip(src.ip(), dst.ip(), UDP, &[&ports, &length.to_be_bytes()[..], &[0, 0], payload].concat())
}

/// The client's segment with these flags to github.com, port 22.
pub fn segment(family: Family, flags: u8, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let (client, dst) = (family.client(), family.github());
    ip(client.ip(), dst.ip(), TCP, &tcp(client.port(), dst.port(), flags, options, payload))
}

/// The client's SYN to github.com, port 22: allowed.
pub fn syn(family: Family) -> Vec<u8> {
    segment(family, SYN, &[], &[])
}
