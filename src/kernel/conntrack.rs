use std::io;
use std::os::fd::AsRawFd;

use netlink_packet_core::{DefaultNla, ErrorMessage, NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use netlink_packet_netfilter::conntrack::{ConntrackAttribute, ConntrackMessage};
use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage, NetfilterProtoFamily};
use netlink_sys::Socket;
use netlink_sys::constants::NETLINK_NETFILTER;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, setsockopt, sockopt};

use super::KernelError;
use super::datagram::{message, messages};
use super::flow_news::{FlowNews, Life, news, one};
use crate::model::{Mark, MarkMask};

/// Hears of TCP connections that begin, go on and end, from the kernel's connection tracking.
pub struct Conntrack {
    events: Socket,
    /// Room for a datagram: one event, or some.
    buffer: Vec<u8>,
}

/// `NFNLGRP_CONNTRACK_NEW`, `_UPDATE`, `_DESTROY` (linux/netfilter/nfnetlink.h).
const GROUPS: [u32; 3] = [1, 2, 3];
/// `CTA_MARK_MASK` (`linux/netfilter/nfnetlink_conntrack.h`).
const CTA_MARK_MASK: u16 = 21;
/// `NLMSG_ERROR`, `NLMSG_DONE` (linux/netlink.h).
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// Bytes of events that may wait: some hundred thousand connections' worth, since what is lost costs a look at all.
const BUFFER: usize = 8 * 1024 * 1024;
/// Bytes of a datagram of events (`NLMSG_GOODSIZE` is 8 KiB at most, `linux/netlink.h`).
const ROOM: usize = 16 * 1024;
/// Datagrams that are taken together.
const TOGETHER: usize = 4_096;
/// Where the kernel says whether there are events.
const SWITCH: &str = "/proc/sys/net/netfilter/nf_conntrack_events";

impl Conntrack {
    /// Listens from now on. Connections that began before anybody listened may end without a word.
    ///
    /// # Errors
    /// If there are no events to be had, with what to do.
    pub fn open() -> Result<Self, KernelError> {
        let failed = |source| KernelError::netlink("listen for connections that begin and end", source);
        if let Some(why) = conntrack_is_silent() {
            return Err(failed(io::Error::other(why)));
        }
        let mut events = Socket::new(NETLINK_NETFILTER).map_err(failed)?;
        events.bind_auto().map_err(failed)?;
        for group in GROUPS {
            events.add_membership(group).map_err(failed)?;
        }
        // More than the system's usual limit needs a capability; without it there are more overruns.
        if setsockopt(&events, sockopt::RcvBufForce, &BUFFER).is_err() {
            let _ = setsockopt(&events, sockopt::RcvBuf, &BUFFER);
        }
        Ok(Self { events, buffer: vec![0; ROOM] })
    }

    /// Waits for news, and takes what has come together.
    ///
    /// # Errors
    /// `ENOBUFS` if some were lost; then [`skip`](Self::skip) what waits and look at [`living`](Self::living).
    pub fn receive(&mut self, mut take: impl FnMut(&FlowNews)) -> io::Result<()> {
        let mut flags = MsgFlags::empty();
        for _ in 0..TOGETHER {
            let length = match recv(self.events.as_raw_fd(), &mut self.buffer, flags) {
                Err(Errno::EAGAIN) => break,
                received => received?,
            };
            news(self.buffer.get(..length).unwrap_or_default()).for_each(|news| take(&news));
            flags = MsgFlags::MSG_DONTWAIT;
        }
        Ok(())
    }

    /// Forgets the news that wait: they are older than what is looked at next.
    ///
    /// # Errors
    /// If the socket cannot be used.
    pub fn skip(&self) -> io::Result<()> {
        self.events.set_non_blocking(true)?;
        // Those that come meanwhile need not be skipped: there is an end to it.
        for _ in 0..BUFFER / 256 {
            let received = self.events.recv_from_full();
            let is_empty = |error: &io::Error| error.kind() == io::ErrorKind::WouldBlock;
            if received.as_ref().is_err_and(is_empty) {
                break;
            }
        }
        self.events.set_non_blocking(false)
    }

    /// The connections that live now and carry a listener's mark.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn living(marks: MarkMask) -> io::Result<Vec<FlowNews>> {
        let mut found = Vec::new();
        for (value, bits) in marks.listener_classes() {
            living_with(value, bits, &mut found)?;
        }
        Ok(found)
    }
}

/// Why the kernel tells nothing of connections, and what to do, if that is so.
#[must_use]
pub fn conntrack_is_silent() -> Option<String> {
    match std::fs::read_to_string(SWITCH) {
        Ok(switch) if switch.trim() != "0" => None,
        Ok(_) => Some("set the sysctl net.netfilter.nf_conntrack_events to 1 and start decider again".to_owned()),
        Err(error) => Some(format!("this kernel has no connection tracking events ({SWITCH}: {error})")),
    }
}

/// Adds the connections that live and whose mark has this value in these bits. Those that have ended are remembered for
/// minutes, and may be many times as many.
fn living_with(value: Mark, bits: u32, found: &mut Vec<FlowNews>) -> io::Result<()> {
    let mut socket = Socket::new(NETLINK_NETFILTER)?;
    socket.bind_auto()?;
    socket.send(&request(value, bits), 0)?;
    loop {
        let (bytes, _) = match socket.recv_from_full() {
            Err(error) if error.raw_os_error() == Some(Errno::EINTR as i32) => continue,
            received => received?,
        };
        for (kind, message) in messages(&bytes) {
            match kind {
                NLMSG_DONE => return Ok(()),
                NLMSG_ERROR => return Err(refusal(message)),
                _ => found.extend(one(message).filter(|news| news.life == Life::Lives)),
            }
        }
    }
}

fn request(value: Mark, bits: u32) -> Vec<u8> {
    let attributes = vec![
        ConntrackAttribute::CtaMark(value.0),
        ConntrackAttribute::Other(DefaultNla::new(CTA_MARK_MASK, bits.to_be_bytes().to_vec())),
    ];
    let header = NetfilterHeader::new(NetfilterProtoFamily::Unspec, 0, 0);
    let request = NetfilterMessage::new(header, ConntrackMessage::Get(attributes));
    message(NetlinkPayload::from(request), NLM_F_REQUEST | NLM_F_DUMP, 0)
}

fn refusal(message: &[u8]) -> io::Error {
    match NetlinkMessage::<NetfilterMessage>::deserialize(message).map(|message| message.payload) {
        Ok(NetlinkPayload::Error(error @ ErrorMessage { code: Some(_), .. })) => error.to_io(),
        _ => io::Error::other("the kernel refused, and did not say why"),
    }
}
