use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::sockopt::{RcvBufForce, ReceiveTimeout, SndBufForce};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, SockaddrIn6, recv, sendto, setsockopt,
    socket,
};
use nix::sys::time::{TimeVal, TimeValLike};

use super::Namespace;

/// Sends packets that were made by hand, IP header and all.
pub struct RawSender {
    v4: OwnedFd,
    v6: OwnedFd,
}

impl RawSender {
    pub fn new(namespace: &Namespace) -> Self {
        let open = |family| {
            let socket = socket(family, SockType::Raw, SockFlag::empty(), SockProtocol::Raw).unwrap();
            // What waits in a queue of the machine that sends it counts as unsent: that must not hold up the next packet.
            setsockopt(&socket, SndBufForce, &(256 << 20)).unwrap();
            socket
        };
        namespace.enter(|| Self { v4: open(AddressFamily::Inet), v6: open(AddressFamily::Inet6) })
    }

    /// Sends it to where its header says.
    pub fn send(&self, packet: &[u8]) {
        self.try_send(packet).unwrap_or_else(|error| panic!("{error}: {packet:02x?}"));
    }

    /// The same, for packets that the kernel may refuse to send.
    pub fn try_send(&self, packet: &[u8]) -> io::Result<()> {
        loop {
            let sent = match destination(packet) {
                IpAddr::V4(to) => {
                    let to = SockaddrIn::from(std::net::SocketAddrV4::new(to, 0));
                    sendto(self.v4.as_raw_fd(), packet, &to, MsgFlags::empty())
                }
                IpAddr::V6(to) => {
                    let to = SockaddrIn6::from(std::net::SocketAddrV6::new(to, 0, 0, 0));
                    sendto(self.v6.as_raw_fd(), packet, &to, MsgFlags::empty())
                }
            };
            match sent {
                // Where the ruleset of this very machine takes it, it was sent for all that.
                Ok(_) | Err(Errno::EPERM) => return Ok(()),
                // The interface has no room for the moment.
                Err(Errno::ENOBUFS | Errno::EAGAIN) => std::thread::yield_now(),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn destination(packet: &[u8]) -> IpAddr {
    match packet[0] >> 4 {
        4 => <[u8; 4]>::try_from(&packet[16..20]).unwrap().into(),
        _ => <[u8; 16]>::try_from(&packet[24..40]).unwrap().into(),
    }
}

/// Sees every packet that comes into a namespace or leaves it, before any socket does.
pub struct Sniffer {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl Sniffer {
    pub fn new(namespace: &Namespace) -> Self {
        // Datagram: from the IP header on.
        let open =
            || socket(AddressFamily::Packet, SockType::Datagram, SockFlag::empty(), SockProtocol::EthAll).unwrap();
        let socket = namespace.enter(open);
        setsockopt(&socket, RcvBufForce, &(16 << 20)).unwrap();
        setsockopt(&socket, ReceiveTimeout, &TimeVal::milliseconds(500)).unwrap();
        Self { socket, buffer: vec![0; 65536] }
    }

    /// The next packet; none if half a second passes without one.
    pub fn next(&mut self) -> Option<&[u8]> {
        let length = recv(self.socket.as_raw_fd(), &mut self.buffer, MsgFlags::empty()).ok()?;
        Some(&self.buffer[..length])
    }
}
