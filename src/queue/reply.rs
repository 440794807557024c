use std::io;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, SockaddrIn6, SockaddrLike, sendto,
    setsockopt, socket, sockopt,
};

use crate::model::Mark;
use crate::packet;

/// Where datagrams go that look as if a resolver had sent them.
pub trait Replies: Send {
    /// Sends a datagram from `resolver` to `client`, with a mark by which the ruleset knows it.
    ///
    /// # Errors
    /// What the system says.
    fn send(&self, resolver: SocketAddr, client: SocketAddr, message: &[u8], mark: Mark) -> io::Result<()>;
}

/// Sends whole packets, so that no port has to be bound that a resolver on this host may have.
pub struct ReplySocket {
    v4: OwnedFd,
    v6: OwnedFd,
}

impl ReplySocket {
    /// Opens a raw socket of each family.
    ///
    /// # Errors
    /// What the system says; `CAP_NET_RAW` is needed.
    pub fn open() -> io::Result<Self> {
        // With this protocol the packet's own IP header is taken (raw(7)).
        let raw = |family| {
            let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
            socket(family, SockType::Raw, flags, SockProtocol::Raw)
        };
        Ok(Self { v4: raw(AddressFamily::Inet)?, v6: raw(AddressFamily::Inet6)? })
    }
}

impl Replies for ReplySocket {
    fn send(&self, resolver: SocketAddr, client: SocketAddr, message: &[u8], mark: Mark) -> io::Result<()> {
        let bytes = packet::udp_packet(resolver, client, message).ok_or(io::ErrorKind::InvalidInput)?;
        match client {
            SocketAddr::V4(client) => {
                send(&self.v4, &bytes, &SockaddrIn::from(SocketAddrV4::new(*client.ip(), 0)), mark)
            }
            SocketAddr::V6(client) => {
                let to = SocketAddrV6::new(*client.ip(), 0, 0, client.scope_id());
                send(&self.v6, &bytes, &SockaddrIn6::from(to), mark)
            }
        }
    }
}

fn send(socket: &OwnedFd, bytes: &[u8], to: &impl SockaddrLike, mark: Mark) -> io::Result<()> {
    setsockopt(socket, sockopt::Mark, &mark.0)?;
    sendto(socket.as_raw_fd(), bytes, to, MsgFlags::empty())?;
    Ok(())
}
