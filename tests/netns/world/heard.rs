use std::net::{IpAddr, SocketAddr};

use super::Message;

/// A packet on a client's interface, as far as the tests look at one.
pub enum Heard {
    /// A resolver's answer, and whose it is.
    Answer { to: SocketAddr, message: Message },
    /// A TCP segment.
    Segment { from: SocketAddr, to: SocketAddr, flags: u8 },
}

impl Heard {
    /// Reads a whole packet from its IP header on; none if it is anything else.
    pub fn read(packet: &[u8]) -> Option<Self> {
        let (from, to, protocol, rest) = match packet[0] >> 4 {
            4 => (address::<4>(&packet[12..16]), address::<4>(&packet[16..20]), packet[9], &packet[20..]),
            6 => (address::<16>(&packet[8..24]), address::<16>(&packet[24..40]), packet[6], &packet[40..]),
            _ => return None,
        };
        let port = |at: usize| u16::from_be_bytes([rest[at], rest[at + 1]]);
        let ends = || (SocketAddr::new(from, port(0)), SocketAddr::new(to, port(2)));
        match protocol {
            17 if port(0) == 53 => Some(Self::Answer { to: ends().1, message: Message::decode(&rest[8..])? }),
            6 => Some(Self::Segment { from: ends().0, to: ends().1, flags: rest[13] }),
            _ => None,
        }
    }
}

fn address<const OCTETS: usize>(octets: &[u8]) -> IpAddr
where
    IpAddr: From<[u8; OCTETS]>,
{
    <[u8; OCTETS]>::try_from(octets).unwrap().into()
}
