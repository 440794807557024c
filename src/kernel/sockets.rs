use std::io;
use std::net::{IpAddr, SocketAddr};

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload, Nla as _};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP};
use netlink_packet_sock_diag::inet::nlas::Nla;
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags};
use netlink_sys::Socket;
use netlink_sys::constants::NETLINK_SOCK_DIAG;
use nix::errno::Errno;

use crate::model::Transport;

use super::datagram::{message, messages};

/// `INET_DIAG_CGROUP_ID` (`linux/inet_diag.h`).
const CGROUP_ID: u16 = 21;
/// `INET_DIAG_NOCOOKIE` (`linux/inet_diag.h`): whichever socket it is now.
const NO_COOKIE: [u8; 8] = [0xff; 8];

/// A connection, or what is sent over UDP, as its socket on this host sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// By which protocol.
    pub transport: Transport,
    /// This host's end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
}

/// What the kernel tells of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Whose it is.
    pub uid: u32,
    /// Its number among open files; never 0.
    pub inode: u32,
    /// The number of the control group that made it.
    pub cgroup: Option<u64>,
    /// This host's end.
    pub local: SocketAddr,
}

/// Asks the kernel for sockets (`sock_diag`), of the network namespace that it was opened in.
pub struct Sockets {
    socket: Socket,
}

impl Sockets {
    /// Opens it.
    ///
    /// # Errors
    /// If the system gives no socket.
    pub fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
        socket.bind_auto()?;
        // The kernel answers before a question has been sent.
        socket.set_non_blocking(true)?;
        Ok(Self { socket })
    }

    /// The socket of a connection; none if it is gone, or if the protocol has none that can be asked for.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn owner(&self, connection: &Connection) -> io::Result<Option<Owner>> {
        let Connection { transport, local, remote } = *connection;
        // For UDP the kernel takes the ends the other way round ("for historical reasons", net/ipv4/udp_diag.c).
        let id = match transport {
            Transport::Tcp => (IPPROTO_TCP, local, remote),
            Transport::Udp => (IPPROTO_UDP, remote, local),
            Transport::Icmp | Transport::Other(_) => return Ok(None),
        };
        let found = self.ask(id, NLM_F_REQUEST)?;
        // In its stead the kernel may find a socket that only listens on that port.
        let is_it = |(owner, to): &(Owner, SocketAddr)| {
            owner.local.port() == local.port() && (transport == Transport::Udp || *to == remote)
        };
        Ok(found.into_iter().find(is_it).map(|(owner, _)| owner))
    }

    /// The sockets of all TCP connections from an address to there.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn connected(&self, from: IpAddr, to: SocketAddr) -> io::Result<Vec<Owner>> {
        let found = self.ask((IPPROTO_TCP, SocketAddr::new(from, 0), to), NLM_F_REQUEST | NLM_F_DUMP)?;
        let is_one = |(owner, remote): &(Owner, SocketAddr)| owner.local.ip() == from && *remote == to;
        Ok(found.into_iter().filter(is_one).map(|(owner, _)| owner).collect())
    }

    fn ask(
        &self,
        (protocol, source, destination): (u8, SocketAddr, SocketAddr),
        flags: u16,
    ) -> io::Result<Vec<(Owner, SocketAddr)>> {
        let request = request(protocol, source, destination);
        self.socket.send(&message(NetlinkPayload::from(request), flags, 0), 0)?;
        let mut found = Vec::new();
        loop {
            let (bytes, _) = self.socket.recv_from_full()?;
            for (_, message) in messages(&bytes) {
                let message = NetlinkMessage::<SockDiagMessage>::deserialize(message).map_err(io::Error::other)?;
                match message.payload {
                    NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) => {
                        found.extend(owner(&response));
                        if flags & NLM_F_DUMP != NLM_F_DUMP {
                            return Ok(found);
                        }
                    }
                    NetlinkPayload::Done(_) => return Ok(found),
                    NetlinkPayload::Error(error) => match error.to_io() {
                        gone if gone.raw_os_error() == Some(Errno::ENOENT as i32) => return Ok(found),
                        refused => return Err(refused),
                    },
                    _ => {}
                }
            }
        }
    }
}

/// Asks for a socket by its ends, whichever it is now.
pub(super) fn request(protocol: u8, source: SocketAddr, destination: SocketAddr) -> SockDiagMessage {
    SockDiagMessage::InetRequest(InetRequest {
        family: if source.is_ipv4() { AF_INET } else { AF_INET6 },
        protocol,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::all(),
        socket_id: SocketId {
            source_port: source.port(),
            destination_port: destination.port(),
            source_address: source.ip(),
            destination_address: destination.ip(),
            interface_id: 0,
            cookie: NO_COOKIE,
        },
    })
}

/// What an answer tells, and where that socket leads; none if no process has it open any more (`TIME_WAIT`).
fn owner(response: &InetResponse) -> Option<(Owner, SocketAddr)> {
    let InetResponse { header, nlas } = response;
    let mut number = [0; 8];
    let cgroup = nlas.iter().any(|nla| match nla {
        Nla::Other(other) if other.kind() == CGROUP_ID && other.value_len() == number.len() => {
            other.emit_value(&mut number);
            true
        }
        _ => false,
    });
    let id = &header.socket_id;
    // A socket of both families shows IPv4 as mapped addresses.
    let end = |address: IpAddr, port| SocketAddr::new(address.to_canonical(), port);
    let owner = Owner {
        uid: header.uid,
        inode: header.inode,
        cgroup: cgroup.then(|| u64::from_ne_bytes(number)),
        local: end(id.source_address, id.source_port),
    };
    (header.inode != 0).then_some((owner, end(id.destination_address, id.destination_port)))
}
