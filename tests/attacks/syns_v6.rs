//! What only IPv6 can do: extension headers, and addresses that stand for IPv4 ones.

use decider::packet::PacketError;

use crate::packet_bytes::{Family, TCP, cut, ip, patch, syn};
use crate::syns::{Case, bad, carrying, check, clean_syn, fine};

/// Protocol numbers of extension headers (IANA).
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const ESP: u8 = 50;
const AUTHENTICATION: u8 = 51;
const NOTHING: u8 = 59;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;

/// A header of its kind, without the number of the one that follows.
type Header<'a> = (u8, &'a [u8]);

/// Options that are padding (`PadN`), eight bytes with the two in front.
const PADDED: &[u8] = &[0, 1, 4, 0, 0, 0, 0];
const NOT_A_FRAGMENT: &[u8] = &[0, 0, 0, 0, 0, 0, 9];

/// The SYN behind extension headers.
fn behind(headers: &[Header<'_>]) -> Vec<u8> {
    behind_before(headers, TCP, &clean_syn())
}

fn behind_before(headers: &[Header<'_>], last: u8, payload: &[u8]) -> Vec<u8> {
    let following = headers.iter().skip(1).map(|(kind, _)| *kind).chain([last]);
    let mut bytes = Vec::new();
    for ((_, body), next) in headers.iter().zip(following) {
        bytes.push(next);
        bytes.extend(*body);
    }
    bytes.extend(payload);
    carrying(Family::V6, headers.first().map_or(last, |(kind, _)| *kind), &bytes)
}

fn between(src: &str, dst: &str) -> Vec<u8> {
    ip(src.parse().unwrap(), dst.parse().unwrap(), TCP, &clean_syn())
}

pub const CASES: &[Case] = &[
    fine("hop-by-hop options", |_| behind(&[(HOP_BY_HOP, PADDED)])),
    fine("destination options", |_| behind(&[(DESTINATION, PADDED)])),
    fine("options of sixteen bytes", |_| behind(&[(DESTINATION, &[1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])])),
    fine("a routing header that has served", |_| behind(&[(ROUTING, &[0, 4, 0, 0, 0, 0, 0])])),
    fine("an atomic fragment", |_| behind(&[(FRAGMENT, NOT_A_FRAGMENT)])),
    fine("every extension header in order", |_| {
        behind(&[
            (HOP_BY_HOP, PADDED),
            (DESTINATION, PADDED),
            (ROUTING, &[0, 4, 0, 0, 0, 0, 0]),
            (FRAGMENT, NOT_A_FRAGMENT),
            (DESTINATION, PADDED),
        ])
    }),
    fine("eight extension headers", |_| behind(&[(DESTINATION, PADDED); 8])),
    bad("nine extension headers", PacketError::Extensions, |_| behind(&[(DESTINATION, PADDED); 9])),
    bad("hop-by-hop options in second place", PacketError::Extensions, |_| {
        behind(&[(DESTINATION, PADDED), (HOP_BY_HOP, PADDED)])
    }),
    bad("hop-by-hop options twice", PacketError::Extensions, |_| behind(&[(HOP_BY_HOP, PADDED); 2])),
    bad("a routing header with a segment left", PacketError::SourceRoute, |_| {
        behind(&[(ROUTING, &[0, 4, 1, 0, 0, 0, 0])])
    }),
    bad("the old routing header with a segment left", PacketError::SourceRoute, |_| {
        behind(&[(ROUTING, &[2, 0, 1, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])])
    }),
    bad("a first fragment", PacketError::Fragment, |_| behind(&[(FRAGMENT, &[0, 0, 1, 0, 0, 0, 9])])),
    bad("a later fragment", PacketError::Fragment, |_| behind(&[(FRAGMENT, &[0, 0, 8, 0, 0, 0, 9])])),
    bad("a fragment behind options", PacketError::Fragment, |_| {
        behind(&[(DESTINATION, PADDED), (FRAGMENT, &[0, 0, 1, 0, 0, 0, 9])])
    }),
    bad("a first fragment whose TCP header comes later", PacketError::Fragment, |_| {
        behind_before(&[(FRAGMENT, &[0, 0, 1, 0, 0, 0, 9]), (DESTINATION, PADDED)], TCP, &[])
    }),
    bad("options longer than the packet", PacketError::Length, |_| behind(&[(DESTINATION, &[200, 1, 4, 0, 0, 0, 0])])),
    bad("options longer than what was copied", PacketError::Truncated, |_| cut(behind(&[(DESTINATION, PADDED)]), 45)),
    bad("an extension header of one byte", PacketError::Truncated, |_| carrying(Family::V6, DESTINATION, &[TCP])),
    bad("a routing header of two bytes", PacketError::Truncated, |_| carrying(Family::V6, ROUTING, &[TCP, 0])),
    bad("a fragment header of three bytes", PacketError::Truncated, |_| carrying(Family::V6, FRAGMENT, &[TCP, 0, 0])),
    bad("a payload length of nothing (jumbogram)", PacketError::Truncated, |_| {
        patch(behind(&[(HOP_BY_HOP, &[0, 0xc2, 4, 0, 1, 0, 0])]), 4, &[0, 0])
    }),
    bad("a payload length within the TCP header", PacketError::Truncated, |_| patch(syn(Family::V6), 4, &[0, 19])),
    bad("an encrypted payload", PacketError::Transport(ESP), |_| carrying(Family::V6, ESP, &clean_syn())),
    bad("an authentication header", PacketError::Transport(AUTHENTICATION), |_| {
        behind(&[(AUTHENTICATION, &[4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])])
    }),
    bad("no next header", PacketError::Transport(NOTHING), |_| carrying(Family::V6, NOTHING, &clean_syn())),
    bad("mobility", PacketError::Transport(MOBILITY), |_| behind(&[(MOBILITY, PADDED)])),
    bad("UDP behind options", PacketError::Transport(17), |_| {
        behind_before(&[(DESTINATION, PADDED)], 17, &clean_syn())
    }),
    bad("an IPv4 address as the source", PacketError::MappedAddress, |_| between("::ffff:10.77.1.2", "2001:db8::10")),
    bad("an IPv4 address as the destination", PacketError::MappedAddress, |_| {
        between("fd77:1::2", "::ffff:192.0.2.10")
    }),
];

#[test]
fn each_packet_is_what_it_is() {
    check(CASES, &[Family::V6]);
}
