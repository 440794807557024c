use std::io;

use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_netfilter::nflog::{
    ConfigCmd, ConfigMode, ConfigNla, PacketNla, Timeout, ULogMessage, config_request,
};
use netlink_packet_netfilter::{NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily};
use netlink_sys::Socket;
use netlink_sys::constants::NETLINK_NETFILTER;
use nix::errno::Errno;
use nix::sys::socket::{setsockopt, sockopt};

use super::KernelError;
use super::datagram::messages;
use crate::model::Reason;

/// Bytes of reports that may wait: a second's worth of what the kernel lets through alone.
const BUFFER: usize = 16 * 1024 * 1024;

/// Reports that are told of together, at most.
const TOGETHER: u32 = 64;
/// Hundredths of a second that one waits for others (`NFULA_CFG_TIMEOUT`).
const TICKS: u32 = 1;

/// A packet that the ruleset refused by itself, or let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why; [`Reason::Allowed`] of one that it let through by itself.
    pub reason: Reason,
    /// Its mark.
    pub mark: u32,
    /// Index of the interface it came in by; 0 if it was made here.
    pub in_interface: u32,
    /// The user whose process sent it, if one of this host did.
    pub uid: Option<u32>,
    /// Its beginning, from the IP header on.
    pub packet: Vec<u8>,
}

/// Hears of the packets that the ruleset refuses by itself (NFLOG).
pub struct RefusalLog {
    socket: Socket,
}

impl RefusalLog {
    /// Binds a log group. The kernel tells of several `together`, within a hundredth of a second; else of each at once.
    ///
    /// # Errors
    /// If another program has the group, or the kernel has no NFLOG.
    pub fn open(group: u16, together: bool) -> Result<Self, KernelError> {
        let failed = |source: io::Error| {
            let hint = match source.raw_os_error().map(Errno::from_raw) {
                Some(Errno::EBUSY | Errno::EPERM) => " (another program may have it: use another --log-group)",
                _ => "",
            };
            KernelError::netlink(format!("listen to NFLOG group {group}{hint}"), source)
        };
        let mut socket = Socket::new(NETLINK_NETFILTER).map_err(failed)?;
        socket.bind_auto().map_err(failed)?;
        // Lost reports are lost; they are limited anyway, and the counters have every packet.
        socket.set_no_enobufs(true).map_err(failed)?;
        // More than the system's usual limit needs a capability; without it more is lost.
        if setsockopt(&socket, sockopt::RcvBufForce, &BUFFER).is_err() {
            let _ = setsockopt(&socket, sockopt::RcvBuf, &BUFFER);
        }
        let mut settings = vec![ConfigCmd::Bind.into(), ConfigMode::PACKET_MAX.into()];
        if together {
            settings.extend([ConfigNla::QThresh(TOGETHER), ConfigNla::Timeout(Timeout::new(TICKS))]);
        } else {
            settings.push(ConfigNla::QThresh(1));
        }
        configure(&socket, group, settings).map_err(failed)?;
        Ok(Self { socket })
    }

    /// Waits for the next ones.
    ///
    /// # Errors
    /// What the socket says; the next call may well succeed.
    pub fn receive(&self) -> io::Result<Vec<Refused>> {
        let (bytes, _) = self.socket.recv_from_full()?;
        Ok(refusals(&bytes))
    }
}

fn configure(socket: &Socket, group: u16, settings: Vec<ConfigNla>) -> io::Result<()> {
    let request = config_request(NetfilterProtoFamily::Unspec, group, settings);
    let mut bytes = vec![0; request.buffer_len()];
    request.serialize(&mut bytes);
    socket.send(&bytes, 0)?;
    let (reply, _) = socket.recv_from_full()?;
    let reply = NetlinkMessage::<NetfilterMessage>::deserialize(&reply).map_err(io::Error::other)?;
    match reply.payload {
        NetlinkPayload::Error(error) if error.code.is_some() => Err(error.to_io()),
        _ => Ok(()),
    }
}

fn refusals(datagram: &[u8]) -> Vec<Refused> {
    messages(datagram).filter_map(|(_, message)| refusal(message)).collect()
}

fn refusal(message: &[u8]) -> Option<Refused> {
    let message = NetlinkMessage::<NetfilterMessage>::deserialize(message).ok()?;
    let NetlinkPayload::InnerMessage(NetfilterMessage {
        inner: NetfilterMessageInner::ULog(ULogMessage::Packet(attributes)),
        ..
    }) = message.payload
    else {
        return None;
    };
    let (mut reason, mut mark, mut in_interface, mut uid, mut packet) = (None, 0, 0, None, Vec::new());
    for attribute in attributes {
        match attribute {
            PacketNla::Prefix(prefix) => reason = Reason::from_word(prefix.to_str().ok()?),
            PacketNla::Mark(value) => mark = value,
            PacketNla::IfIndexInDev(index) => in_interface = index,
            PacketNla::Uid(number) => uid = Some(number),
            PacketNla::Payload(bytes) => packet = bytes,
            _ => {}
        }
    }
    Some(Refused { reason: reason?, mark, in_interface, uid, packet })
}
