use std::io;

use netlink_packet_core::{NLM_F_ACK, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use netlink_packet_netfilter::nftables::NfTablesMessage;
use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily, NetfilterSubsystem,
};
use netlink_sys::Socket;
use netlink_sys::constants::NETLINK_NETFILTER;

use super::datagram::{message, messages};

/// `NFNETLINK_V0` (linux/netfilter/nfnetlink.h).
const VERSION: u8 = 0;

/// A socket to change nftables by, without `nft`: for what is changed often, and for what is to be this process's own.
pub struct NftSocket {
    socket: Socket,
    port: u32,
    sequence: u32,
}

/// One change of a transaction.
pub struct Part {
    /// What is changed, in the `inet` family.
    pub message: NfTablesMessage,
    /// `NLM_F_*`, beside those that each request has.
    pub flags: u16,
}

/// Whether the end of a batch is sent: without it the kernel checks everything and changes nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Batch {
    Commit,
    CheckOnly,
}

impl NftSocket {
    /// A socket.
    ///
    /// # Errors
    /// If there is none to be had.
    pub fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_NETFILTER)?;
        let port = socket.bind_auto()?.port_number();
        // The kernel has done it all before `send` returns.
        socket.set_non_blocking(true)?;
        Ok(Self { socket, port, sequence: 0 })
    }

    /// By which the kernel tells whose changes are these (`nlmsg_pid`).
    #[must_use]
    pub const fn port(&self) -> u32 {
        self.port
    }

    /// Makes all of the changes, or none.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn commit(&mut self, parts: Vec<Part>) -> io::Result<()> {
        self.send(parts, Batch::Commit)
    }

    /// Has the kernel look at the changes, and makes none.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn check(&mut self, parts: Vec<Part>) -> io::Result<()> {
        self.send(parts, Batch::CheckOnly)
    }

    fn send(&mut self, parts: Vec<Part>, batch: Batch) -> io::Result<()> {
        let first = self.sequence.wrapping_add(1);
        let mut bytes = control(ControlMessage::BatchBegin, first);
        let wanted = parts.len();
        let mut sequence = first;
        for (number, Part { message, flags }) in (1..).zip(parts) {
            sequence = sequence.wrapping_add(1);
            // One acknowledgement is enough: it comes when all is done, and refusals come without being asked for.
            let ack = if number == wanted { NLM_F_ACK } else { 0 };
            bytes.extend(change(message, flags | ack, sequence));
        }
        let last = sequence;
        self.sequence = last.wrapping_add(1);
        if batch == Batch::Commit {
            bytes.extend(control(ControlMessage::BatchEnd, self.sequence));
        }
        self.socket.send(&bytes, 0)?;
        self.outcome(first, last)
    }

    /// Reads what became of the messages with these numbers.
    fn outcome(&self, first: u32, last: u32) -> io::Result<()> {
        let mut refusal = None;
        loop {
            let (bytes, _) = self.socket.recv_from_full()?;
            for (_, message) in messages(&bytes) {
                let message = NetlinkMessage::<NetfilterMessage>::deserialize(message).map_err(io::Error::other)?;
                let number = message.header.sequence_number;
                let NetlinkPayload::Error(error) = &message.payload else { continue };
                // Whatever is left of another batch is no news of this one.
                if number.wrapping_sub(first) > last.wrapping_sub(first) {
                    continue;
                }
                if error.code.is_some() {
                    refusal.get_or_insert(error.to_io());
                }
                // What is told of the beginning is told of all.
                if number == last || (number == first && error.code.is_some()) {
                    return refusal.map_or(Ok(()), Err);
                }
            }
        }
    }
}

fn change(inner: NfTablesMessage, flags: u16, sequence: u32) -> Vec<u8> {
    let header = NetfilterHeader::new(NetfilterProtoFamily::Inet, VERSION, 0);
    let part = NetfilterMessage::new(header, NetfilterMessageInner::NfTables(inner));
    message(NetlinkPayload::from(part), NLM_F_REQUEST | flags, sequence)
}

fn control(part: ControlMessage, sequence: u32) -> Vec<u8> {
    // The header of a batch names the subsystem that it is for.
    let subsystem = u16::from(u8::from(NetfilterSubsystem::NfTables));
    let header = NetfilterHeader::new(NetfilterProtoFamily::Unspec, VERSION, subsystem);
    let part = NetfilterMessage::new(header, NetfilterMessageInner::None(part));
    message(NetlinkPayload::from(part), NLM_F_REQUEST, sequence)
}
