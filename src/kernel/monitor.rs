use std::io;
use std::thread;

use netlink_packet_core::NlasIterator;
use netlink_packet_netfilter::NetfilterSubsystem;
use netlink_sys::Socket;
use netlink_sys::constants::{NETLINK_NETFILTER, NETLINK_ROUTE};
use nix::errno::Errno;
use tokio::sync::mpsc;

use super::KernelError;
use super::datagram::{HEADER, messages};
use super::names::{LOCAL_TABLE, TABLE};

/// What may have changed. A hint to look, not news: the state itself is read when it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Something of decider's table.
    Ruleset,
    /// Decider's table was deleted; it may be there anew.
    RulesetGone,
    /// A routing rule, or a route of decider's table.
    Rules,
    /// An interface or an address.
    Links,
    /// A queueing discipline or a filter of traffic control.
    Filters,
    /// So much that messages were lost.
    Overrun,
}

/// `NFNLGRP_NFTABLES` (linux/netfilter/nfnetlink.h).
const NFTABLES_GROUP: u32 = 7;
/// `RTNLGRP_LINK`, `_TC`, `_IPV4_IFADDR`, `_IPV4_ROUTE`, `_IPV4_RULE`, `_IPV6_IFADDR`, `_IPV6_ROUTE`, `_IPV6_RULE`
/// (linux/rtnetlink.h).
const ROUTING_GROUPS: [u32; 8] = [1, 4, 5, 7, 8, 9, 11, 19];

/// `RTM_*` (linux/rtnetlink.h).
mod rtm {
    pub const NEWLINK: u16 = 16;
    pub const DELLINK: u16 = 17;
    pub const NEWADDR: u16 = 20;
    pub const DELADDR: u16 = 21;
    pub const NEWROUTE: u16 = 24;
    pub const DELROUTE: u16 = 25;
    pub const NEWRULE: u16 = 32;
    pub const DELRULE: u16 = 33;
    pub const NEWQDISC: u16 = 36;
    pub const DELQDISC: u16 = 37;
    pub const NEWTFILTER: u16 = 44;
    pub const DELTFILTER: u16 = 45;
}

/// `NFT_MSG_DELTABLE` (`linux/netfilter/nf_tables.h`).
const DELETE_TABLE: u16 = 2;
/// `NFT_MSG_NEWSETELEM`, `_DELSETELEM` (`linux/netfilter/nf_tables.h`).
const ELEMENTS: [u16; 2] = [12, 14];
/// Bytes of `struct nfgenmsg`.
const NETFILTER_HEADER: usize = 4;
/// Bytes of `struct rtmsg`.
const ROUTE_HEADER: usize = 12;
/// The table's name, of whatever is added or deleted: `NFTA_*_TABLE`, `NFTA_TABLE_NAME` (`linux/netfilter/nf_tables.h`).
const NFTA_TABLE: u16 = 1;
/// `RTA_TABLE` (linux/rtnetlink.h).
const RTA_TABLE: u16 = 15;

/// Starts to listen, in threads of its own that end when nobody takes the hints any more.
///
/// What is done to elements by the socket with the number `beside` is no news.
///
/// # Errors
/// If the kernel does not let this process listen.
pub fn monitor(beside: Option<u32>) -> Result<mpsc::Receiver<Change>, KernelError> {
    let failed = |source| KernelError::netlink("listen for changes of the kernel's state", source);
    let (hints, receiver) = mpsc::channel(256);
    let tables = subscribe(NETLINK_NETFILTER, &[NFTABLES_GROUP]).map_err(failed)?;
    let routing = subscribe(NETLINK_ROUTE, &ROUTING_GROUPS).map_err(failed)?;
    let of_table = move |message: &[u8], kind| {
        let is_own = is_about_elements(kind) && sender(message).is_some() && sender(message) == beside;
        if is_own { None } else { of_table(message, kind) }
    };
    let start = |name: &str| thread::Builder::new().name(name.to_owned());
    let others = hints.clone();
    start("nft-events").spawn(move || listen(&tables, of_table, &others)).map_err(failed)?;
    start("route-events").spawn(move || listen(&routing, of_routing, &hints)).map_err(failed)?;
    Ok(receiver)
}

fn subscribe(protocol: isize, groups: &[u32]) -> io::Result<Socket> {
    let mut socket = Socket::new(protocol)?;
    socket.bind_auto()?;
    for group in groups {
        socket.add_membership(*group)?;
    }
    Ok(socket)
}

fn listen(socket: &Socket, meaning: impl Fn(&[u8], u16) -> Option<Change>, hints: &mpsc::Sender<Change>) {
    loop {
        let changes = match socket.recv_from_full() {
            Ok((bytes, _)) => changes(&bytes, &meaning),
            Err(error) if error.raw_os_error() == Some(Errno::EINTR as i32) => continue,
            // ENOBUFS, or anything else that may have cost a message.
            Err(error) => {
                tracing::warn!(%error, "netlink events were lost: everything is looked at");
                vec![Change::Overrun]
            }
        };
        for change in changes {
            if hints.blocking_send(change).is_err() {
                return;
            }
        }
    }
}

/// What a datagram hints at, each kind once.
fn changes(datagram: &[u8], meaning: impl Fn(&[u8], u16) -> Option<Change>) -> Vec<Change> {
    let mut found = Vec::new();
    for (kind, message) in messages(datagram) {
        if let Some(change) = meaning(message, kind).filter(|change| !found.contains(change)) {
            found.push(change);
        }
    }
    found
}

/// Whether it tells of elements of sets and maps.
fn is_about_elements(kind: u16) -> bool {
    kind >> 8 == u16::from(u8::from(NetfilterSubsystem::NfTables)) && ELEMENTS.contains(&(kind & 0xff))
}

/// Whose change it tells of: `nlmsg_pid`, the last word of the header.
fn sender(message: &[u8]) -> Option<u32> {
    Some(u32::from_ne_bytes(*message.get(..HEADER)?.last_chunk()?))
}

fn of_table(message: &[u8], kind: u16) -> Option<Change> {
    let is_nftables = kind >> 8 == u16::from(u8::from(NetfilterSubsystem::NfTables));
    let name = attribute(message, HEADER + NETFILTER_HEADER, NFTA_TABLE)?;
    let is_ours = name.strip_suffix(b"\0").unwrap_or(&name) == TABLE.as_bytes();
    let change = if kind & 0xff == DELETE_TABLE { Change::RulesetGone } else { Change::Ruleset };
    (is_nftables && is_ours).then_some(change)
}

fn of_routing(message: &[u8], kind: u16) -> Option<Change> {
    match kind {
        rtm::NEWLINK | rtm::DELLINK | rtm::NEWADDR | rtm::DELADDR => Some(Change::Links),
        rtm::NEWRULE | rtm::DELRULE => Some(Change::Rules),
        rtm::NEWQDISC | rtm::DELQDISC | rtm::NEWTFILTER | rtm::DELTFILTER => Some(Change::Filters),
        rtm::NEWROUTE | rtm::DELROUTE => {
            let table = attribute(message, HEADER + ROUTE_HEADER, RTA_TABLE)?;
            (table == LOCAL_TABLE.to_ne_bytes()).then_some(Change::Rules)
        }
        _ => None,
    }
}

fn attribute(message: &[u8], behind: usize, kind: u16) -> Option<Vec<u8>> {
    let attributes = NlasIterator::new(message.get(behind..)?);
    attributes.map_while(Result::ok).find(|nla| nla.kind() == kind).map(|nla| nla.value().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, header: usize, attribute: u16, value: &[u8]) -> Vec<u8> {
        let mut body = vec![0; header];
        body.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
        body.extend(attribute.to_ne_bytes());
        body.extend(value);
        body.resize(body.len().next_multiple_of(4), 0);
        let length = u32::try_from(HEADER + body.len()).unwrap();
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0; 10]);
        bytes.extend(body);
        bytes
    }

    #[test]
    fn only_our_table_is_news() {
        let delete_table = 0x0a02;
        let ours = message(delete_table, NETFILTER_HEADER, NFTA_TABLE, b"decider\0");
        let other = message(delete_table, NETFILTER_HEADER, NFTA_TABLE, b"filter\0");
        assert_eq!(changes(&ours, of_table), [Change::RulesetGone]);
        assert_eq!(changes(&other, of_table), []);
        let set = message(0x0a09, NETFILTER_HEADER, NFTA_TABLE, b"decider\0");
        assert_eq!(changes(&[other, ours, set].concat(), of_table), [Change::RulesetGone, Change::Ruleset]);
    }

    #[test]
    fn routes_of_other_tables_are_no_news() {
        let ours = message(rtm::DELROUTE, ROUTE_HEADER, RTA_TABLE, &LOCAL_TABLE.to_ne_bytes());
        let main = message(rtm::DELROUTE, ROUTE_HEADER, RTA_TABLE, &254_u32.to_ne_bytes());
        assert_eq!(changes(&ours, of_routing), [Change::Rules]);
        assert_eq!(changes(&main, of_routing), []);
        let rule = message(rtm::DELRULE, ROUTE_HEADER, 1, &[]);
        assert_eq!(changes(&[rule.clone(), rule].concat(), of_routing), [Change::Rules]);
    }

    #[test]
    fn rubbish_is_no_news() {
        for length in 0..64 {
            assert_eq!(changes(&vec![0xff; length], of_table), []);
            assert_eq!(changes(&vec![0; length], of_routing), []);
        }
    }
}
