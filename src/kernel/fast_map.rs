use std::io;
use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use netlink_packet_netfilter::nftables::{
    DataAttribute, ListAttribute, NfTablesMessage, SetElementAttribute, SetElementList, SetElementMessage,
};
use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily, NetfilterSubsystem,
};
use netlink_sys::Socket;
use netlink_sys::constants::NETLINK_NETFILTER;
use nix::errno::Errno;

use super::KernelError;
use super::datagram::{message, messages};
use super::names::{FAST_LEASE, FAST_MAPS, TABLE};
use crate::fast::{Element, FastMap, Key, MARGIN};
use crate::model::Moment;

/// How long the maps count without a word from decider. It is renewed three times in that time.
pub const LEASE: Duration = Duration::from_secs(3);
/// Elements in one message: its length has 16 bits.
const TOGETHER: usize = 256;
/// `NFNETLINK_V0` (linux/netfilter/nfnetlink.h).
const VERSION: u8 = 0;

/// The maps of decider's table by which the kernel decides alone, one a family, and their lease.
pub struct FastMaps {
    socket: Socket,
    port: u32,
    sequence: u32,
}

/// A change of a set or map.
enum Change {
    Add(&'static str, Vec<Vec<SetElementAttribute>>),
    Remove(&'static str, Vec<Vec<SetElementAttribute>>),
    Flush(&'static str),
}

impl FastMaps {
    /// A socket to change them by.
    ///
    /// # Errors
    /// If there is none to be had.
    pub fn open() -> Result<Self, KernelError> {
        let failed = |source| KernelError::netlink("open a socket for the fast path", source);
        let mut socket = Socket::new(NETLINK_NETFILTER).map_err(failed)?;
        let port = socket.bind_auto().map_err(failed)?.port_number();
        // The kernel has done it all before `send` returns.
        socket.set_non_blocking(true).map_err(failed)?;
        Ok(Self { socket, port, sequence: 0 })
    }

    /// By which the kernel tells whose changes are these (`nlmsg_pid`).
    #[must_use]
    pub const fn port(&self) -> u32 {
        self.port
    }

    /// Makes all of the changes, or none.
    fn commit(&mut self, changes: Vec<Change>) -> io::Result<()> {
        let first = self.sequence.wrapping_add(1);
        let begin = batch_part(ControlMessage::BatchBegin, first);
        let mut bytes = begin;
        let last_change = changes.len();
        let mut sequence = first;
        for (number, change) in (1..).zip(changes) {
            sequence = sequence.wrapping_add(1);
            // One acknowledgement is enough: it comes when all is done, and refusals come without being asked for.
            let ack = if number == last_change { NLM_F_ACK } else { 0 };
            bytes.extend(change.encode(ack, sequence));
        }
        let last = sequence;
        bytes.extend(batch_part(ControlMessage::BatchEnd, last.wrapping_add(1)));
        self.sequence = last.wrapping_add(1);
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

impl FastMap for FastMaps {
    fn put(&mut self, elements: &[Element], now: Moment) -> io::Result<()> {
        // Before Linux 6.12 an element that is there keeps its time when it is added again.
        let lease = vec![SetElementAttribute::Timeout(millis(LEASE)), key(vec![0; 4])];
        let mut changes = vec![Change::Flush(FAST_LEASE), Change::Add(FAST_LEASE, vec![lease])];
        for chunk in elements.chunks(TOGETHER) {
            changes.extend(in_families(chunk, |element| element.key, |element| added(element, now), Change::Add));
        }
        self.commit(changes)
    }

    fn remove(&mut self, keys: &[Key]) -> io::Result<()> {
        let removal = |keys: &[Key]| in_families(keys, |key| *key, |gone| vec![key(key_bytes(gone))], Change::Remove);
        for chunk in keys.chunks(TOGETHER) {
            let all = self.commit(removal(chunk));
            let Err(error) = all else { continue };
            if !is_missing(&error) {
                return Err(error);
            }
            // One of them has run out, so none was taken out.
            for gone in chunk {
                match self.commit(removal(std::slice::from_ref(gone))) {
                    Err(error) if !is_missing(&error) => return Err(error),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        let changes = FAST_MAPS.into_iter().chain([FAST_LEASE]).map(Change::Flush).collect();
        match self.commit(changes) {
            // Without the table there is nothing that counts.
            Err(error) if !is_missing(&error) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn lapse(&mut self) {
        thread::sleep(LEASE);
    }
}

impl Change {
    fn encode(self, flags: u16, sequence: u32) -> Vec<u8> {
        let (set, elements, is_new) = match self {
            Self::Add(set, elements) => (set, elements, true),
            Self::Remove(set, elements) => (set, elements, false),
            Self::Flush(set) => (set, vec![], false),
        };
        let mut attributes = vec![SetElementList::Table(TABLE.to_owned()), SetElementList::Set(set.to_owned())];
        if !elements.is_empty() {
            attributes
                .push(SetElementList::Elements(elements.into_iter().map(ListAttribute::Element).collect::<Vec<_>>()));
        }
        let body = SetElementMessage { attributes };
        let (body, flags) = if is_new {
            (NfTablesMessage::NewSetElement(body), flags | NLM_F_CREATE)
        } else {
            (NfTablesMessage::DeleteSetElement(body), flags)
        };
        let header = NetfilterHeader::new(NetfilterProtoFamily::Inet, VERSION, 0);
        let part = NetfilterMessage::new(header, NetfilterMessageInner::NfTables(body));
        message(NetlinkPayload::from(part), NLM_F_REQUEST | flags, sequence)
    }
}

fn batch_part(part: ControlMessage, sequence: u32) -> Vec<u8> {
    // The header of a batch names the subsystem that it is for.
    let subsystem = u16::from(u8::from(NetfilterSubsystem::NfTables));
    let header = NetfilterHeader::new(NetfilterProtoFamily::Unspec, VERSION, subsystem);
    let part = NetfilterMessage::new(header, NetfilterMessageInner::None(part));
    message(NetlinkPayload::from(part), NLM_F_REQUEST, sequence)
}

/// A change of each family's map that has something in it.
fn in_families<T>(
    items: &[T],
    key_of: impl Fn(&T) -> Key,
    encode: impl Fn(&T) -> Vec<SetElementAttribute>,
    change: impl Fn(&'static str, Vec<Vec<SetElementAttribute>>) -> Change,
) -> Vec<Change> {
    let mut families = [vec![], vec![]];
    for item in items {
        let [v4, v6] = &mut families;
        if key_of(item).dst.is_ipv4() { v4.push(encode(item)) } else { v6.push(encode(item)) }
    }
    let filled = FAST_MAPS.into_iter().zip(families).filter(|(_, elements)| !elements.is_empty());
    filled.map(|(map, elements)| change(map, elements)).collect()
}

fn added(element: &Element, now: Moment) -> Vec<SetElementAttribute> {
    let left = element.until.since(now).saturating_sub(MARGIN);
    let mark = DataAttribute::Value(element.mark.0.to_ne_bytes().to_vec());
    vec![
        SetElementAttribute::Timeout(millis(left).max(1)),
        key(key_bytes(&element.key)),
        SetElementAttribute::Data(mark),
    ]
}

fn key(bytes: Vec<u8>) -> SetElementAttribute {
    SetElementAttribute::Key(DataAttribute::Value(bytes))
}

/// Each part takes whole registers of four bytes.
fn key_bytes(key: &Key) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(36);
    for address in [key.client, key.dst] {
        match address {
            IpAddr::V4(address) => bytes.extend(address.octets()),
            IpAddr::V6(address) => bytes.extend(address.octets()),
        }
    }
    bytes.extend(key.port.to_be_bytes());
    bytes.extend([0, 0]);
    bytes
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn is_missing(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::ENOENT as i32)
}
