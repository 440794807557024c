use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use nix::errno::Errno;
use socket2::{Domain, Protocol, Socket, Type};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;

/// The sockets that the kernel hands connections over to: one a family.
#[derive(Debug)]
pub struct Listeners {
    v4: Ipv4Addr,
    port: u16,
    sockets: Vec<TcpListener>,
}

/// A listener that cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}, which decider needs for DNS over TCP: {source}")]
pub struct ListenError {
    /// Where.
    pub address: SocketAddr,
    /// The system's answer.
    pub source: io::Error,
}

impl Listeners {
    /// Listens on a port of an IPv4 loopback address, and of `::1` if there is IPv6 at all.
    ///
    /// # Errors
    /// If another program has the port, or the right is missing (`CAP_NET_ADMIN`).
    pub fn bind(v4: Ipv4Addr, port: u16) -> Result<Self, ListenError> {
        let listen = |host| {
            let address = SocketAddr::new(host, port);
            listen(address).map_err(|source| ListenError { address, source })
        };
        let mut sockets = vec![listen(IpAddr::V4(v4))?];
        match listen(Ipv6Addr::LOCALHOST.into()) {
            Ok(socket) => sockets.push(socket),
            Err(error) if is_without_ipv6(&error.source) => {}
            Err(error) => return Err(error),
        }
        Ok(Self { v4, port, sockets })
    }

    /// Where they listen: address of IPv4, port.
    pub(super) fn address(&self) -> (Ipv4Addr, u16) {
        (self.v4, self.port)
    }

    pub(super) fn into_sockets(self) -> Vec<TcpListener> {
        self.sockets
    }
}

/// Whether a socket for `::1` failed since the host has no IPv6: no such address, or no such sockets.
#[must_use]
pub fn is_without_ipv6(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(Errno::EAFNOSUPPORT as i32)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    // Connections of a run before may still be closing.
    socket.set_reuse_address(true)?;
    match address {
        SocketAddr::V4(_) => socket.set_ip_transparent_v4(true)?,
        SocketAddr::V6(_) => {
            socket.set_only_v6(true)?;
            socket.set_ip_transparent_v6(true)?;
        }
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
