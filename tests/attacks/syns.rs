use decider::model::{Reason, Verdict};
use decider::packet::{self, PacketError};
use decider::queue::Answer;

use crate::packet_bytes::{
    ACK, BOTH, CWR, ECE, FIN, Family, PSH, RST, SYN, TCP, URG, cut, ip, patch, segment, syn, tcp,
};
use crate::world::{OTHERS, World, assert_event};

/// A packet in the SYN queue and what the parser must say of it; `None`: it is the client's SYN to github.com.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    pub bytes: fn(Family) -> Vec<u8>,
    pub error: Option<PacketError>,
}

/// A SYN that must be decided like any other.
pub const fn fine(name: &'static str, bytes: fn(Family) -> Vec<u8>) -> Case {
    Case { name, bytes, error: None }
}

/// A packet that must be refused.
pub const fn bad(name: &'static str, error: PacketError, bytes: fn(Family) -> Vec<u8>) -> Case {
    Case { name, bytes, error: Some(error) }
}

/// Forty bytes of TCP options as Linux sends them, padded: MSS, SACK, timestamps, window scale.
const OPTIONS: [u8; 40] = {
    let mut options = [1; 40];
    let linux = [2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7];
    let mut at = 0;
    while at < linux.len() {
        options[at] = linux[at];
        at += 1;
    }
    options
};

/// The client's packet to github.com with this protocol and what it carries.
pub fn carrying(family: Family, protocol: u8, payload: &[u8]) -> Vec<u8> {
    ip(family.client().ip(), family.github().ip(), protocol, payload)
}

/// The TCP part of the client's SYN to github.com.
pub fn clean_syn() -> Vec<u8> {
    tcp(Family::V4.client().port(), 22, SYN, &[], &[])
}

pub const CASES: &[Case] = &[
    fine("a plain SYN", syn),
    fine("a SYN with ECN bits", |family| segment(family, SYN | ECE | CWR, &[], &[])),
    fine("a SYN with PSH and URG", |family| segment(family, SYN | PSH | URG, &[], &[])),
    fine("a SYN with data (TCP Fast Open)", |family| segment(family, SYN, &[], b"SSH-2.0-early\r\n")),
    fine("a SYN full of options", |family| segment(family, SYN, &OPTIONS, &[])),
    fine("TCP options that lie about their length", |family| segment(family, SYN, &[2, 0, 0xff, 0xff], &[])),
    fine("a SYN cut off behind the fixed header", |family| {
        cut(segment(family, SYN, &OPTIONS, b"data"), family.header() + 20)
    }),
    fine("bytes behind the end of the packet", |family| [syn(family), vec![0xee; 30]].concat()),
    bad("SYN and FIN", PacketError::NotASyn, |family| segment(family, SYN | FIN, &[], &[])),
    bad("SYN and RST", PacketError::NotASyn, |family| segment(family, SYN | RST, &[], &[])),
    bad("SYN and ACK", PacketError::NotASyn, |family| segment(family, SYN | ACK, &[], &[])),
    bad("a bare ACK", PacketError::NotASyn, |family| segment(family, ACK, &[], &[])),
    bad("data of an unknown flow", PacketError::NotASyn, |family| segment(family, PSH | ACK, &[], b"secret")),
    bad("a bare FIN", PacketError::NotASyn, |family| segment(family, FIN, &[], &[])),
    bad("a bare RST", PacketError::NotASyn, |family| segment(family, RST, &[], &[])),
    bad("no flags at all", PacketError::NotASyn, |family| segment(family, 0, &[], &[])),
    bad("every flag", PacketError::NotASyn, |family| segment(family, 0xff, &[], &[])),
    bad("FIN, PSH and URG (Christmas tree)", PacketError::NotASyn, |family| segment(family, FIN | PSH | URG, &[], &[])),
    bad("a data offset of 4 words", PacketError::Length, |family| patch(syn(family), family.header() + 12, &[0x40])),
    bad("a data offset of nothing", PacketError::Length, |family| patch(syn(family), family.header() + 12, &[0])),
    bad("a data offset beyond the packet", PacketError::Length, |family| {
        patch(syn(family), family.header() + 12, &[0xf0])
    }),
    bad("a packet that ends within the TCP header", PacketError::Truncated, |family| {
        carrying(family, TCP, &cut(clean_syn(), 19))
    }),
    bad("a copy that ends within the TCP header", PacketError::Truncated, |family| {
        cut(syn(family), family.header() + 19)
    }),
    bad("a copy that ends within the IP header", PacketError::Truncated, |family| {
        cut(syn(family), family.header() - 1)
    }),
    bad("a packet without content", PacketError::Truncated, |family| carrying(family, TCP, &[])),
    bad("no bytes", PacketError::Truncated, |_| vec![]),
    bad("one byte", PacketError::Truncated, |family| cut(syn(family), 1)),
    bad("IP version 0", PacketError::Version(0), |family| patch(syn(family), 0, &[0x05])),
    bad("IP version 5", PacketError::Version(5), |family| patch(syn(family), 0, &[0x55])),
    bad("IP version 15", PacketError::Version(15), |family| patch(syn(family), 0, &[0xff])),
    bad("UDP", PacketError::Transport(17), |family| carrying(family, 17, &clean_syn())),
    bad("ICMP", PacketError::Transport(1), |family| carrying(family, 1, &clean_syn())),
    bad("ICMPv6", PacketError::Transport(58), |family| carrying(family, 58, &clean_syn())),
    bad("SCTP", PacketError::Transport(132), |family| carrying(family, 132, &clean_syn())),
    bad("GRE", PacketError::Transport(47), |family| carrying(family, 47, &clean_syn())),
    bad("IPv4 in IP", PacketError::Transport(4), |family| carrying(family, 4, &syn(Family::V4))),
    bad("IPv6 in IP", PacketError::Transport(41), |family| carrying(family, 41, &syn(Family::V6))),
];

/// Tries each case in a world of its own, where the client may go to github.com and its listener is up.
pub fn check(cases: &[Case], families: &[Family]) {
    for family in families {
        for case in cases {
            let bytes = (case.bytes)(*family);
            let name = &format!("{} over {family:?}", case.name);
            let parsed = packet::syn(&bytes);
            match case.error {
                None => {
                    let syn = parsed.unwrap_or_else(|error| unreachable!("{name}: {error}"));
                    assert_eq!(
                        (syn.client, syn.dst, syn.seq),
                        (family.client(), family.github(), 0x1122_3344),
                        "{name}"
                    );
                    assert_allowed(bytes, name);
                }
                Some(error) => {
                    assert_eq!(parsed, Err(error), "{name}");
                    assert_refused(bytes, error.reason(), name);
                }
            }
        }
    }
}

fn assert_allowed(bytes: Vec<u8>, name: &str) {
    let mut world = World::new();
    let (answer, event) = world.syn(bytes);
    assert_eq!(answer, world.listener("github.com"), "{name}");
    assert_event(event.as_ref(), Verdict::Allow, Reason::Allowed, name);
    assert_eq!(world.shared.counters.allowed.value(), 1, "{name}");
    world.assert_sums();
}

fn assert_refused(bytes: Vec<u8>, reason: Reason, name: &str) {
    let mut world = World::new();
    let (answer, event) = world.syn(bytes.clone());
    assert_eq!(answer, world.deny(), "{name}");
    assert_event(event.as_ref(), Verdict::Deny, reason, name);
    assert_eq!(world.shared.counters.malformed.value(), 1, "{name}");
    world.assert_sums();

    let mut audit = World::audit();
    let (answer, event) = audit.syn(bytes);
    assert_eq!(answer, Answer::Accept { mark: OTHERS }, "{name}, audit");
    assert_event(event.as_ref(), Verdict::Audit, reason, name);
    assert_eq!(audit.shared.counters.malformed.value(), 1, "{name}, audit");
    audit.assert_sums();
}

#[test]
fn each_packet_is_what_it_is() {
    check(CASES, &BOTH);
}
