//! What carries the message: datagrams that lie about themselves.

use decider::model::{Reason, Verdict};
use decider::packet::{self, PacketError};
use decider::queue::{Answer, Hook};
use decider::record::DnsOutcome;

use crate::messages::bytes::question;
use crate::packet_bytes::{BOTH, Family, TCP, UDP, cut, ip, patch, udp};
use crate::world::{World, assert_event};

pub struct Case {
    pub name: &'static str,
    pub bytes: fn(Family) -> Vec<u8>,
    pub error: PacketError,
}

const fn bad(name: &'static str, error: PacketError, bytes: fn(Family) -> Vec<u8>) -> Case {
    Case { name, bytes, error }
}

fn asked(family: Family) -> Vec<u8> {
    udp(family.client(), family.resolver(), &question(family, "github.com").bytes())
}

/// The question with another length in the UDP header.
fn with_length(family: Family, length: u16) -> Vec<u8> {
    patch(asked(family), family.header() + 4, &length.to_be_bytes())
}

fn carrying(family: Family, protocol: u8, payload: &[u8]) -> Vec<u8> {
    ip(family.client().ip(), family.resolver().ip(), protocol, payload)
}

pub const CASES: &[Case] = &[
    bad("a length of nothing", PacketError::Length, |family| with_length(family, 0)),
    bad("a length below the header's", PacketError::Length, |family| with_length(family, 7)),
    bad("a length that leaves bytes behind it", PacketError::Length, |family| with_length(family, 30)),
    bad("a length beyond the packet", PacketError::Length, |family| with_length(family, 0xffff)),
    bad("a copy that ends early", PacketError::Truncated, |family| cut(asked(family), family.header() + 20)),
    bad("a header that is not all there", PacketError::Length, |family| carrying(family, UDP, &[0; 7])),
    bad("no header", PacketError::Length, |family| carrying(family, UDP, &[])),
    bad("TCP", PacketError::Transport(6), |family| carrying(family, TCP, &[0; 20])),
    bad("UDP-Lite", PacketError::Transport(136), |family| carrying(family, 136, &asked(family))),
    bad("a version that nobody knows", PacketError::Version(7), |family| patch(asked(family), 0, &[0x75])),
    bad("no bytes", PacketError::Truncated, |_| vec![]),
    bad("a fragment", PacketError::Fragment, |family| match family {
        Family::V4 => patch(asked(family), 6, &[0x20, 0]),
        Family::V6 => {
            let payload = asked(family).split_off(40);
            carrying(family, 44, &[&[UDP, 0, 0, 1, 0, 0, 0, 9][..], &payload].concat())
        }
    }),
];

#[test]
fn each_datagram_is_refused_for_what_it_is() {
    for family in BOTH {
        for case in CASES {
            let bytes = (case.bytes)(family);
            let name = &format!("{} over {family:?}", case.name);
            assert_eq!(packet::udp(&bytes), Err(case.error), "{name}");
            for hook in [Hook::Prerouting, Hook::Postrouting] {
                let mut world = World::new();
                let (answer, outcome, events) = world.dns(bytes.clone(), hook);
                assert_eq!((answer, outcome), (Answer::Drop, DnsOutcome::Malformed), "{name}");
                assert_event(events.first(), Verdict::Deny, Reason::Malformed, name);
                assert!(world.learned().is_empty(), "{name}");
            }
        }
    }
}

#[test]
fn a_message_of_all_the_bytes_that_fit_is_read() {
    for family in BOTH {
        let room = match family {
            Family::V4 => usize::from(u16::MAX) - 20 - 8,
            Family::V6 => usize::from(u16::MAX) - 8,
        };
        let record = crate::messages::bytes::address(family, 1);
        let mut message = crate::messages::bytes::answer(family, "github.com");
        let count = (room - message.bytes().len()) / record.len();
        message.answers = vec![record; count];
        let mut world = World::new();
        world.ask(family, &question(family, "github.com").bytes());
        let (answer, outcome, _) = world.reply(family, &message.bytes());
        assert_eq!((answer, outcome), (Answer::Pass, DnsOutcome::Learned));
        assert_eq!(world.learned().len(), count.min(4096));
    }
}
