//! What only IPv4 can do: header lengths, options, fragments by the fixed header.

use decider::packet::PacketError;

use crate::packet_bytes::{Family, TCP, cut, patch, syn};
use crate::syns::{Case, bad, carrying, check, clean_syn, fine};

/// IPv4 options (IANA, IP option numbers).
const END: u8 = 0;
const PAD: u8 = 1;
const RECORD_ROUTE: u8 = 7;
const TIMESTAMP: u8 = 68;
const LOOSE_SOURCE_ROUTE: u8 = 131;
const STRICT_SOURCE_ROUTE: u8 = 137;
const ROUTER_ALERT: u8 = 148;

/// The SYN with IP options, which must be whole words.
fn with_options(options: &[u8]) -> Vec<u8> {
    let plain = carrying(Family::V4, TCP, &[options, &clean_syn()].concat());
    let words = u8::try_from(5 + options.len() / 4).unwrap();
    patch(plain, 0, &[0x40 | words])
}

/// The SYN with flags and fragment offset.
fn fragment(flags_and_offset: u16) -> Vec<u8> {
    patch(syn(Family::V4), 6, &flags_and_offset.to_be_bytes())
}

pub const CASES: &[Case] = &[
    fine("do not fragment", |_| fragment(0x4000)),
    fine("the reserved flag (RFC 3514)", |_| fragment(0x8000)),
    fine("padding as options", |_| with_options(&[PAD, PAD, PAD, END])),
    fine("forty bytes of padding", |_| with_options(&[PAD; 40])),
    fine("record route", |_| with_options(&[RECORD_ROUTE, 7, 4, 0, 0, 0, 0, END])),
    fine("timestamp", |_| with_options(&[TIMESTAMP, 8, 5, 0, 0, 0, 0, 0])),
    fine("router alert", |_| with_options(&[ROUTER_ALERT, 4, 0, 0])),
    fine("a source route behind the end of the options", |_| {
        with_options(&[END, LOOSE_SOURCE_ROUTE, 7, 4, 192, 0, 2, 99])
    }),
    fine("an option that is longer than all of them", |_| with_options(&[RECORD_ROUTE, 255, 4, 0])),
    bad("a loose source route", PacketError::SourceRoute, |_| {
        with_options(&[LOOSE_SOURCE_ROUTE, 7, 4, 192, 0, 2, 99, END])
    }),
    bad("a strict source route", PacketError::SourceRoute, |_| {
        with_options(&[STRICT_SOURCE_ROUTE, 7, 4, 192, 0, 2, 99, END])
    }),
    bad("a source route behind padding", PacketError::SourceRoute, |_| {
        with_options(&[PAD, PAD, PAD, PAD, PAD, LOOSE_SOURCE_ROUTE, 3, 4])
    }),
    bad("a source route behind another option", PacketError::SourceRoute, |_| {
        with_options(&[ROUTER_ALERT, 4, 0, 0, STRICT_SOURCE_ROUTE, 3, 4, END])
    }),
    bad("a source route behind an option of no length", PacketError::SourceRoute, |_| {
        with_options(&[RECORD_ROUTE, 0, LOOSE_SOURCE_ROUTE, 3, 4, END, END, END])
    }),
    bad("a header of 4 words", PacketError::Length, |_| patch(syn(Family::V4), 0, &[0x44])),
    bad("a header of no words", PacketError::Length, |_| patch(syn(Family::V4), 0, &[0x40])),
    bad("a header longer than the packet", PacketError::Length, |_| patch(syn(Family::V4), 0, &[0x4f])),
    bad("a copy that ends within the options", PacketError::Truncated, |_| cut(with_options(&[PAD; 40]), 50)),
    bad("a total length below the header's", PacketError::Length, |_| patch(syn(Family::V4), 2, &[0, 19])),
    bad("a total length of nothing", PacketError::Length, |_| patch(syn(Family::V4), 2, &[0, 0])),
    bad("a total length within the TCP header", PacketError::Truncated, |_| patch(syn(Family::V4), 2, &[0, 39])),
    bad("a first fragment", PacketError::Fragment, |_| fragment(0x2000)),
    bad("a first fragment of eight bytes", PacketError::Fragment, |_| {
        patch(carrying(Family::V4, TCP, &cut(clean_syn(), 8)), 6, &[0x20, 0])
    }),
    bad("a later fragment", PacketError::Fragment, |_| fragment(0x2001)),
    bad("a last fragment that overlaps the header", PacketError::Fragment, |_| fragment(0x0001)),
    bad("a fragment at the very end", PacketError::Fragment, |_| fragment(0x1fff)),
];

#[test]
fn each_packet_is_what_it_is() {
    check(CASES, &[Family::V4]);
}
