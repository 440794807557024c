//! Answers that are well-formed, and that nobody asked for. And what an answer may not say.

use std::net::SocketAddr;

use decider::model::{Reason, Verdict};
use decider::queue::{Answer, Hook};
use decider::record::DnsOutcome;

use crate::messages::bytes::{ANSWER, INTERNET, Message, address, answer, entry, name, question};
use crate::packet_bytes::{BOTH, Family, SYN, TCP, ip, tcp, udp};
use crate::world::{World, assert_event};

/// github.com at address 66, to the client's question.
fn reply(family: Family) -> Message {
    answer(family, "github.com").answer(address(family, 66))
}

/// A world in which the client has asked for github.com.
fn asked(family: Family) -> World {
    let mut world = World::new();
    world.ask(family, &question(family, "github.com").bytes());
    world
}

/// The client's SYN to address 66 is refused: nobody was told of it.
fn assert_closed(world: &mut World, family: Family, case: &str) {
    assert!(world.learned().is_empty(), "{case}");
    let syn = ip(family.client().ip(), family.address(66), TCP, &tcp(40_000, 22, SYN, &[], &[]));
    let (answer, event) = world.syn(syn);
    assert_eq!(answer, world.deny(), "{case}");
    assert_event(event.as_ref(), Verdict::Deny, Reason::NoObservation, case);
    world.assert_sums();
}

fn other_port(address: SocketAddr, port: u16) -> SocketAddr {
    SocketAddr::new(address.ip(), port)
}

#[test]
fn the_honest_answer_opens_the_way() {
    for family in BOTH {
        let mut world = asked(family);
        let (verdict, outcome, _) = world.reply(family, &reply(family).bytes());
        assert_eq!((verdict, outcome), (Answer::Pass, DnsOutcome::Learned));
        let syn = ip(family.client().ip(), family.address(66), TCP, &tcp(40_000, 22, SYN, &[], &[]));
        let (verdict, event) = world.syn(syn);
        assert_eq!(verdict, world.listener("github.com"));
        assert_event(event.as_ref(), Verdict::Allow, Reason::Allowed, "honest");
    }
}

/// Each differs from the honest answer in one thing.
type Forgery = (&'static str, fn(Family) -> Vec<u8>);

const FORGERIES: &[Forgery] = &[
    ("another id", |family| udp(family.resolver(), family.client(), &Message { id: 0x4321, ..reply(family) }.bytes())),
    ("to another port", |family| udp(family.resolver(), other_port(family.client(), 40_001), &reply(family).bytes())),
    ("to another client", |family| udp(family.resolver(), family.neighbour(), &reply(family).bytes())),
    ("from another server", |family| {
        let stranger = SocketAddr::new(family.pick("10.77.2.54", "fd77:2::54"), 53);
        udp(stranger, family.client(), &reply(family).bytes())
    }),
    ("from another port", |family| udp(other_port(family.resolver(), 5353), family.client(), &reply(family).bytes())),
    ("about another name", |family| {
        udp(family.resolver(), family.client(), &answer(family, "gitlab.com").answer(address(family, 66)).bytes())
    }),
    ("about the name in another case", |family| {
        udp(family.resolver(), family.client(), &answer(family, "GitHub.com").answer(address(family, 66)).bytes())
    }),
    ("about another type", |family| {
        let other = Message::new(ANSWER, entry(&name("github.com"), family.other_kind(), INTERNET));
        udp(family.resolver(), family.client(), &other.answer(address(family, 66)).bytes())
    }),
    ("about another class", |family| {
        let other = Message::new(ANSWER, entry(&name("github.com"), family.kind(), 3));
        udp(family.resolver(), family.client(), &other.answer(address(family, 66)).bytes())
    }),
];

#[test]
fn a_forged_answer_is_dropped_and_the_honest_one_still_counts() {
    for family in BOTH {
        for (case, forge) in FORGERIES {
            let mut world = asked(family);
            let (verdict, outcome, events) = world.dns(forge(family), Hook::Postrouting);
            assert_eq!((verdict, outcome), (Answer::Drop, DnsOutcome::Unasked), "{case}");
            assert_event(events.first(), Verdict::Deny, Reason::UnaskedAnswer, case);
            assert_closed(&mut world, family, case);
            let (_, outcome, _) = world.reply(family, &reply(family).bytes());
            assert_eq!(outcome, DnsOutcome::Learned, "{case}");
        }
    }
}

#[test]
fn audit_lets_forged_answers_pass_and_learns_nothing_from_them() {
    for family in BOTH {
        for (case, forge) in FORGERIES {
            let mut world = World::audit();
            world.ask(family, &question(family, "github.com").bytes());
            let (verdict, outcome, _) = world.dns(forge(family), Hook::Postrouting);
            assert_eq!((verdict, outcome), (Answer::Pass, DnsOutcome::Unasked), "{case}");
            assert!(world.learned().is_empty(), "{case}");
        }
    }
}

#[test]
fn an_answer_counts_once() {
    for family in BOTH {
        let mut world = asked(family);
        world.reply(family, &reply(family).bytes());
        let second = answer(family, "github.com").answer(address(family, 67)).bytes();
        let (verdict, outcome, _) = world.reply(family, &second);
        assert_eq!((verdict, outcome), (Answer::Drop, DnsOutcome::Unasked));
    }
}

#[test]
fn a_question_asked_twice_may_be_answered_twice() {
    for family in BOTH {
        let mut world = asked(family);
        world.ask(family, &question(family, "github.com").bytes());
        for _ in 0..2 {
            let (verdict, outcome, _) = world.reply(family, &reply(family).bytes());
            assert_eq!((verdict, outcome), (Answer::Pass, DnsOutcome::Learned));
        }
        let (verdict, _, _) = world.reply(family, &reply(family).bytes());
        assert_eq!(verdict, Answer::Drop);
    }
}

#[test]
fn an_answer_that_a_client_sends_itself_teaches_nothing() {
    for family in BOTH {
        let mut world = asked(family);
        // To its resolver's port, as if it had answered; and past the queue that sees questions.
        let bytes = udp(family.client(), family.resolver(), &reply(family).bytes());
        let (verdict, outcome, _) = world.dns(bytes, Hook::Prerouting);
        assert_eq!((verdict, outcome), (Answer::Drop, DnsOutcome::Malformed));
        assert_closed(&mut world, family, "from the client");
    }
}

#[test]
fn a_message_held_anywhere_else_is_not_looked_at() {
    for family in BOTH {
        let mut world = asked(family);
        let bytes = udp(family.resolver(), family.client(), &reply(family).bytes());
        let (verdict, outcome, _) = world.dns(bytes, Hook::Other(1));
        assert_eq!((verdict, outcome), (Answer::Drop, DnsOutcome::Malformed));
        assert_closed(&mut world, family, "in another hook");
    }
}

#[test]
fn an_allowed_name_at_a_private_address_opens_nothing_and_says_so() {
    let inside = [
        (Family::V4, ["10.0.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "224.0.0.1", "0.0.0.0"]),
        (Family::V6, ["fd00::1", "fe80::1", "::1", "::ffff:192.0.2.1", "64:ff9b::a00:1", "ff02::1"]),
    ];
    for (family, addresses) in inside {
        for inside in addresses {
            let mut world = asked(family);
            let addr: std::net::IpAddr = inside.parse().unwrap();
            let data = match addr {
                std::net::IpAddr::V4(addr) => addr.octets().to_vec(),
                std::net::IpAddr::V6(addr) => addr.octets().to_vec(),
            };
            let record = crate::messages::bytes::record(&name("github.com"), family.kind(), 300, &data);
            let (verdict, outcome, events) = world.reply(family, &answer(family, "github.com").answer(record).bytes());
            assert_eq!((verdict, outcome), (Answer::Drop, DnsOutcome::Private), "{inside}");
            assert_event(events.first(), Verdict::Deny, Reason::PrivateAddress, inside);
            let syn = ip(family.client().ip(), addr, TCP, &tcp(40_000, 22, SYN, &[], &[]));
            let (verdict, _) = world.syn(syn);
            assert_eq!(verdict, world.deny(), "{inside}");
        }
    }
}

#[test]
fn many_private_addresses_in_one_answer_are_one_event() {
    for family in BOTH {
        let mut world = asked(family);
        let private = match family {
            Family::V4 => vec![10, 0, 0, 1],
            Family::V6 => vec![0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        };
        let record = crate::messages::bytes::record(&name("github.com"), family.kind(), 300, &private);
        let message = (0..50).fold(answer(family, "github.com"), |message, _| message.answer(record.clone()));
        let (_, _, events) = world.reply(family, &message.bytes());
        assert_eq!(events.len(), 1);
    }
}

#[test]
fn this_hosts_own_address_is_not_believed() {
    for family in BOTH {
        let mut world = asked(family);
        world.shared.whereabouts.set(vec![family.address(66)]);
        let (_, _, events) = world.reply(family, &reply(family).bytes());
        assert_event(events.first(), Verdict::Deny, Reason::PrivateAddress, "own");
        let syn = ip(family.client().ip(), family.address(66), TCP, &tcp(40_000, 22, SYN, &[], &[]));
        let (verdict, event) = world.syn(syn);
        assert_eq!(verdict, world.deny());
        assert_event(event.as_ref(), Verdict::Deny, Reason::PrivateAddress, "own");
    }
}
