use std::net::{IpAddr, SocketAddr};

/// TCP flags (RFC 9293, 3.1).
pub mod flag {
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const PSH: u8 = 0x08;
    pub const ACK: u8 = 0x10;
    pub const URG: u8 = 0x20;
    pub const ECE: u8 = 0x40;
    pub const CWR: u8 = 0x80;
}

const TCP: u8 = 6;
const UDP: u8 = 17;

/// A TCP segment, whole or not.
#[derive(Clone, Debug)]
pub struct Segment {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub seq: u32,
    pub flags: u8,
    /// Header length in words, if it is to be a lie.
    pub data_offset: Option<u8>,
    pub options: Vec<u8>,
    pub payload: Vec<u8>,
}

impl Segment {
    pub fn syn(from: SocketAddr, to: SocketAddr) -> Self {
        Self { from, to, seq: 1000, flags: flag::SYN, data_offset: None, options: vec![], payload: vec![] }
    }

    /// From the TCP header on; options are padded to whole words.
    pub fn encode(&self) -> Vec<u8> {
        let mut options = self.options.clone();
        options.resize(options.len().next_multiple_of(4), 0);
        let words = u8::try_from(5 + options.len() / 4).unwrap();
        let mut bytes = Vec::new();
        bytes.extend(self.from.port().to_be_bytes());
        bytes.extend(self.to.port().to_be_bytes());
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend([self.data_offset.unwrap_or(words) << 4, self.flags]);
        bytes.extend(64240u16.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(options);
        bytes.extend(&self.payload);
        let sum = transport_checksum(self.from.ip(), self.to.ip(), TCP, &bytes);
        bytes[16..18].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    /// From the IP header on.
    pub fn packet(&self) -> Vec<u8> {
        ip(self.from.ip(), self.to.ip(), TCP, &self.encode())
    }
}

/// A UDP datagram from the IP header on.
pub fn datagram(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap();
    let mut bytes = Vec::new();
    for number in [from.port(), to.port(), length, 0] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(payload);
    let sum = transport_checksum(from.ip(), to.ip(), UDP, &bytes);
    bytes[6..8].copy_from_slice(&sum.to_be_bytes());
    ip(from.ip(), to.ip(), UDP, &bytes)
}

/// Puts a plain IP header in front; the kernel fills in the checksum of IPv4's.
pub fn ip(from: IpAddr, to: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let length = u16::try_from(20 + payload.len()).unwrap();
            bytes.extend([0x45, 0]);
            bytes.extend(length.to_be_bytes());
            bytes.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
            bytes.extend(from.octets());
            bytes.extend(to.octets());
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            bytes.extend([0x60, 0, 0, 0]);
            bytes.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
            bytes.extend([protocol, 64]);
            bytes.extend(from.octets());
            bytes.extend(to.octets());
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => panic!("two families in one packet"),
    }
    bytes.extend(payload);
    bytes
}

/// The Internet checksum (RFC 1071) over pseudo header and segment.
fn transport_checksum(from: IpAddr, to: IpAddr, protocol: u8, segment: &[u8]) -> u16 {
    let octets = |address: IpAddr| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let mut all = [octets(from), octets(to)].concat();
    all.extend([0, protocol]);
    all.extend(u16::try_from(segment.len()).unwrap().to_be_bytes());
    all.extend(segment);
    all.resize(all.len().next_multiple_of(2), 0);
    let sum: u32 = all.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap()
}
