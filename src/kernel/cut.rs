use std::io;
use std::net::SocketAddr;

use netlink_packet_core::{NLM_F_ACK, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use netlink_packet_netfilter::conntrack::{ConntrackAttribute, ConntrackMessage, IPTuple, ProtoTuple, Protocol, Tuple};
use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage, NetfilterProtoFamily};
use netlink_packet_sock_diag::constants::IPPROTO_TCP;
use netlink_packet_sock_diag::inet::InetResponse;
use netlink_packet_sock_diag::inet::nlas::Nla;
use netlink_packet_sock_diag::{SockDiagDestroy, SockDiagMessage};
use netlink_sys::Socket;
use netlink_sys::constants::{NETLINK_NETFILTER, NETLINK_SOCK_DIAG};
use nix::errno::Errno;

use super::datagram::{message, messages};
use super::{KernelError, sockets};

/// `NLMSG_ERROR` (linux/netlink.h).
const NLMSG_ERROR: u16 = 2;

/// A TCP socket of this host, as it sees its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketEnds {
    /// Its own address.
    pub local: SocketAddr,
    /// The other end's.
    pub remote: SocketAddr,
}

/// Ends TCP connections that go through this host's own sockets.
pub struct Cutter {
    sockets: Socket,
    conntrack: Socket,
}

impl Cutter {
    /// Opens its own sockets.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn open() -> Result<Self, KernelError> {
        let open = |protocol| -> io::Result<Socket> {
            let mut socket = Socket::new(protocol)?;
            socket.bind_auto()?;
            // The kernel answers before a request has been sent.
            socket.set_non_blocking(true)?;
            Ok(socket)
        };
        let failed = |source| KernelError::netlink("open a socket to cut connections with", source);
        Ok(Self {
            sockets: open(NETLINK_SOCK_DIAG).map_err(failed)?,
            conntrack: open(NETLINK_NETFILTER).map_err(failed)?,
        })
    }

    /// The mark of a socket; none if there is no such connection.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn mark_of(&self, ends: SocketEnds) -> io::Result<Option<u32>> {
        self.sockets.send(&message(NetlinkPayload::from(request(ends)), NLM_F_REQUEST, 0), 0)?;
        let (answer, _) = self.sockets.recv_from_full()?;
        for (kind, message) in messages(&answer) {
            if kind == NLMSG_ERROR {
                return outcome(message).map(|_| None);
            }
            let message = NetlinkMessage::<SockDiagMessage>::deserialize(message).map_err(io::Error::other)?;
            if let NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) = message.payload
                && is_of(&response, ends)
            {
                let mark = |nla: &Nla| if let Nla::Mark(mark) = nla { Some(*mark) } else { None };
                return Ok(Some(response.nlas.iter().find_map(mark).unwrap_or(0)));
            }
        }
        Ok(None)
    }

    /// Resets connections by their sockets here, all in one go: no side hears anything before its reset. Those that are gone
    /// already are none the less.
    ///
    /// # Errors
    /// What the kernel says; it may have no such function (`CONFIG_INET_DIAG_DESTROY`).
    pub fn reset(&self, ends: &[SocketEnds]) -> io::Result<()> {
        let requests = ends.iter().flat_map(|&ends| {
            let destroy = SockDiagDestroy::new(request(ends));
            message(NetlinkPayload::from(destroy), NLM_F_REQUEST | NLM_F_ACK, 0)
        });
        self.sockets.send(&requests.collect::<Vec<u8>>(), 0)?;
        let mut result = Ok(());
        let mut answers = 0;
        while answers < ends.len() {
            let (answer, _) = self.sockets.recv_from_full()?;
            for (_, message) in messages(&answer) {
                answers += 1;
                result = result.and(outcome(message).map(drop));
            }
        }
        result
    }

    /// Has connection tracking forget a connection, by the addresses of its first packet.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn forget(&self, client: SocketAddr, dst: SocketAddr) -> io::Result<()> {
        let family = if client.is_ipv4() { NetfilterProtoFamily::IPv4 } else { NetfilterProtoFamily::IPv6 };
        let tuple = vec![
            Tuple::Ip(vec![IPTuple::SourceAddress(client.ip()), IPTuple::DestinationAddress(dst.ip())]),
            Tuple::Proto(vec![
                ProtoTuple::Protocol(Protocol::Tcp),
                ProtoTuple::SourcePort(client.port()),
                ProtoTuple::DestinationPort(dst.port()),
            ]),
        ];
        let delete = ConntrackMessage::Delete(vec![ConntrackAttribute::CtaTupleOrig(tuple)]);
        let delete = NetfilterMessage::new(NetfilterHeader::new(family, 0, 0), delete);
        self.conntrack.send(&message(NetlinkPayload::from(delete), NLM_F_REQUEST | NLM_F_ACK, 0), 0)?;
        let (answer, _) = self.conntrack.recv_from_full()?;
        messages(&answer).try_for_each(|(_, message)| outcome(message).map(drop))
    }
}

fn request(SocketEnds { local, remote }: SocketEnds) -> SockDiagMessage {
    sockets::request(IPPROTO_TCP, local, remote)
}

/// In the stead of a connection that is gone, the kernel may find a socket that only listens on that port.
fn is_of(response: &InetResponse, ends: SocketEnds) -> bool {
    let id = &response.header.socket_id;
    SocketAddr::new(id.source_address, id.source_port) == ends.local
        && SocketAddr::new(id.destination_address, id.destination_port) == ends.remote
}

/// What the kernel answers; whether there was something at all.
fn outcome(message: &[u8]) -> io::Result<bool> {
    let message = NetlinkMessage::<NetfilterMessage>::deserialize(message).map_err(io::Error::other)?;
    let NetlinkPayload::Error(error) = message.payload else { return Ok(true) };
    match error.code {
        None => Ok(true),
        Some(_) if error.to_io().raw_os_error() == Some(Errno::ENOENT as i32) => Ok(false),
        Some(_) => Err(error.to_io()),
    }
}
