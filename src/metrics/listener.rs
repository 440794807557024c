use std::io;
use std::net::SocketAddr;

use nix::unistd::Gid;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use crate::control::{SocketError, SocketFile};
use crate::policy::Listen;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 64;

/// Where scrapers connect to.
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A UNIX socket, for root and a group.
    Unix(SocketFile),
}

/// A place that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// An address.
    #[error("cannot listen on {address} for metrics: {source}")]
    Tcp {
        /// Where.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// A UNIX socket.
    #[error("cannot listen for metrics: {0}")]
    Unix(#[from] SocketError),
}

impl Listener {
    /// Listens. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// If another program has the place, or the system refuses.
    pub fn bind(listen: &Listen, group: Option<Gid>) -> Result<Self, ListenError> {
        match listen {
            Listen::Unix(path) => Ok(Self::Unix(SocketFile::bind(path, group)?)),
            Listen::Tcp(address) => {
                let failed = |source| ListenError::Tcp { address: *address, source };
                tcp(*address).and_then(|socket| TcpListener::from_std(socket.into())).map(Self::Tcp).map_err(failed)
            }
        }
    }
}

fn tcp(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    // Connections of a run before may still be closing.
    socket.set_reuse_address(true)?;
    // A firewall starts before the network has all its addresses.
    match address {
        SocketAddr::V4(_) => socket.set_freebind_v4(true)?,
        SocketAddr::V6(_) => {
            socket.set_only_v6(true)?;
            socket.set_freebind_v6(true)?;
        }
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}
