use std::io;
use std::net::UdpSocket;
use std::time::Duration;

use super::{Client, DnsStream, Family, RESOLVER};

/// What carries DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    Udp,
    Tcp,
}

impl Carrier {
    pub const BOTH: [Self; 2] = [Self::Udp, Self::Tcp];

    /// As events have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }
}

/// Runs a part of a scenario for each family, over UDP and over TCP.
pub fn all_ways(mut part: impl FnMut(Family, Carrier)) {
    for family in Family::BOTH {
        for carrier in Carrier::BOTH {
            part(family, carrier);
        }
    }
}

/// A client's talk with the trusted resolver, in raw messages: a socket of its own, or a connection.
pub enum Talk {
    Udp(UdpSocket),
    Tcp(DnsStream),
}

/// Longer than anything takes that comes at all.
const PATIENCE: Duration = Duration::from_secs(20);

impl Talk {
    pub fn open(client: &Client, family: Family, carrier: Carrier) -> Self {
        match carrier {
            Carrier::Udp => {
                let socket = client.namespace.enter(|| UdpSocket::bind((client.address(family), 0)).unwrap());
                socket.connect((RESOLVER.of(family), 53)).unwrap();
                socket.set_read_timeout(Some(PATIENCE)).unwrap();
                Self::Udp(socket)
            }
            Carrier::Tcp => Self::Tcp(DnsStream::open(client, RESOLVER.of(family)).unwrap()),
        }
    }

    pub fn say(&mut self, message: &[u8]) {
        match self {
            Self::Udp(socket) => drop(socket.send(message).unwrap()),
            // It may have been reset meanwhile; then nothing is heard either.
            Self::Tcp(stream) => drop(stream.say(message)),
        }
    }

    /// The next message; an error if the stream ends or is reset before its last byte, or if nothing comes.
    pub fn hear(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Udp(socket) => {
                let mut buffer = vec![0; 65_535];
                let length = socket.recv(&mut buffer)?;
                buffer.truncate(length);
                Ok(buffer)
            }
            Self::Tcp(stream) => stream.hear(),
        }
    }
}
