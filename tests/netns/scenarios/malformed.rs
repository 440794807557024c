//! Packets and messages that no honest program sends: nothing crashes, nothing opens, and what is only unusual works.

use std::net::{IpAddr, SocketAddr};

use crate::world::{
    Family, GITHUB, Message, Question, RESOLVER, RawSender, STRANGER, Segment, Setup, Sniffer, World, both, datagram,
    eventually, flag, ip,
};

const PORT: u16 = 41_000;

fn syn(world: &World, family: Family, to: IpAddr) -> Segment {
    Segment::syn(SocketAddr::new(world.clients[0].address(family), PORT), SocketAddr::new(to, 22))
}

/// Segments that are no clean SYN, or not even segments.
pub(super) fn broken_segments(good: &Segment) -> Vec<Vec<u8>> {
    let flags = [
        0,
        flag::FIN,
        flag::RST,
        flag::ACK,
        flag::SYN | flag::FIN,
        flag::SYN | flag::RST,
        flag::SYN | flag::ACK,
        flag::SYN | flag::FIN | flag::RST | flag::ACK,
        flag::PSH | flag::ACK,
        flag::FIN | flag::PSH | flag::URG,
        0xff,
    ];
    let offsets = [0, 1, 4, 6, 15];
    let (from, to) = (good.from.ip(), good.to.ip());
    let whole = good.encode();
    let mut packets: Vec<Vec<u8>> = flags.map(|flags| Segment { flags, ..good.clone() }.packet()).into();
    packets.extend(offsets.map(|words| Segment { data_offset: Some(words), ..good.clone() }.packet()));
    packets.extend([0, 1, 4, 13, 19].map(|length| ip(from, to, 6, &whole[..length])));
    // Another protocol's number on a SYN, and the checksum gone wrong.
    packets.extend([0, 1, 17, 41, 47, 50, 58, 132, 255].map(|protocol| ip(from, to, protocol, &whole)));
    let mut wrong_sum = whole.clone();
    wrong_sum[16] ^= 0xff;
    packets.push(ip(from, to, 6, &wrong_sum));
    packets.extend(fragments(good));
    packets
}

/// The SYN in pieces, and pieces that are no whole.
fn fragments(good: &Segment) -> Vec<Vec<u8>> {
    let whole = good.encode();
    let (from, to) = (good.from.ip(), good.to.ip());
    let piece = |offset: u16, more: u16, payload: &[u8]| match from {
        IpAddr::V4(_) => {
            let mut packet = ip(from, to, 6, payload);
            packet[4..6].copy_from_slice(&0x4242u16.to_be_bytes());
            packet[6..8].copy_from_slice(&((more << 13) | (offset / 8)).to_be_bytes());
            packet
        }
        IpAddr::V6(_) => {
            let mut header = vec![6, 0];
            header.extend((offset | more).to_be_bytes());
            header.extend(0x4242_4242u32.to_be_bytes());
            ip(from, to, 44, &[&header, payload].concat())
        }
    };
    vec![
        piece(0, 1, &whole[..8]),
        piece(8, 1, &whole[8..16]),
        piece(16, 0, &whole[16..]),
        piece(0, 1, &whole[..16]),
        piece(8, 0, &whole[8..]),
        piece(1024, 0, &whole),
        piece(0, 0, &whole),
    ]
}

/// Messages that no resolver or stub makes.
pub(super) fn broken_messages(question: &Question) -> Vec<Vec<u8>> {
    let good = Message::query(9, question.clone()).encode();
    let mut messages: Vec<Vec<u8>> = (0..good.len()).map(|length| good[..length].to_vec()).collect();
    let with = |at: usize, byte: u8| {
        let mut message = good.clone();
        message[at] = byte;
        message
    };
    // Counts that lie, labels that point to themselves or beyond the end, reserved kinds of labels.
    messages.extend([with(4, 0xff), with(5, 0), with(5, 2), with(7, 1), with(9, 9), with(11, 3)]);
    messages.extend([with(12, 0xc0), with(12, 0x40), with(12, 0x80), with(12, 63), with(12, 0)]);
    messages.push([&good[..12], &[0xc0, 12, 0, 1, 0, 1]].concat());
    messages.push([&good[..12], &[63; 500]].concat());
    messages.push(vec![0; 1400]);
    messages.push(vec![0xff; 1400]);
    messages
}

#[test]
pub(super) fn broken_packets_open_nothing() {
    let world = Setup::default().start();
    let sender = RawSender::new(&world.clients[0].namespace);
    both(|family| {
        let stranger = syn(&world, family, STRANGER.of(family));
        for packet in broken_segments(&stranger) {
            // What the client's own kernel does not send does not arrive either.
            let _ = sender.try_send(&packet);
        }
        let from = SocketAddr::new(world.clients[0].address(family), PORT);
        for message in broken_messages(&Question::new("github.com", family)) {
            sender.send(&datagram(from, SocketAddr::new(RESOLVER.of(family), 53), &message));
        }
    });
    still_at_work(&world);
    arrived(&world.gateway.status());
    assert_eq!(world.internet.wire.leaked(), []);
    for stranger in STRANGER.both() {
        assert_eq!(world.internet.wire.to(stranger), []);
    }
}

/// What was sent did reach decider: refused by the kernel's rules, by a worker, or as a message.
fn arrived(status: &serde_json::Value) {
    for reason in ["not-a-syn", "proto-not-allowed"] {
        assert!(status["refused_in_kernel"][reason].as_u64() >= Some(4), "{status}");
    }
    assert!(status["counters"]["denied"].as_u64() >= Some(2), "{status}");
    assert!(status["dns"]["messages"]["malformed"].as_u64() >= Some(60), "{status}");
}

#[test]
pub(super) fn broken_answers_open_nothing() {
    let world = Setup::default().start();
    let sender = RawSender::new(&world.internet.namespace);
    both(|family| {
        let resolver = SocketAddr::new(RESOLVER.of(family), 53);
        let client = SocketAddr::new(world.clients[0].address(family), PORT);
        for mut message in broken_messages(&Question::new("github.com", family)) {
            if let Some(flags) = message.get_mut(2) {
                *flags |= 0x80;
            }
            sender.send(&datagram(resolver, client, &message));
        }
    });
    assert_eq!(world.gateway.status()["dns"]["observations"], 0);
    still_at_work(&world);
}

fn still_at_work(world: &World) {
    let status = world.gateway.status();
    assert_eq!(status["state"], "ok", "{status}");
    assert!(status["queues"].as_array().unwrap().iter().all(|queue| queue["panics"] == 0), "{status}");
    both(|family| {
        let reached = world.clients[1].reach_name("github.com", family, 22).unwrap();
        assert!(GITHUB.both().contains(&reached));
        world.clients[1].is_refused(STRANGER.of(family), 22);
    });
    world.gateway.adds_up();
}

#[test]
pub(super) fn unusual_syns_are_decided_like_any_other() {
    let world = Setup::default().start();
    let sender = RawSender::new(&world.clients[0].namespace);
    both(|family| {
        world.clients[0].look_up("github.com", family);
        let allowed = syn(&world, family, GITHUB.of(family));
        let forbidden = syn(&world, family, STRANGER.of(family));
        for (index, (good, bad)) in unusual(&allowed).into_iter().zip(unusual(&forbidden)).enumerate() {
            let mut sniffer = Sniffer::new(&world.clients[0].namespace);
            sender.send(&good);
            assert_eq!(reply(&mut sniffer, GITHUB.of(family)), flag::SYN | flag::ACK, "{index}: {good:02x?}");
            sender.send(&bad);
            assert_eq!(reply(&mut sniffer, STRANGER.of(family)), flag::RST | flag::ACK, "{index}: {bad:02x?}");
        }
    });
    assert_eq!(world.internet.wire.leaked(), []);
    world.gateway.adds_up();
    eventually("no packet that could not be read", || {
        (world.gateway.status()["counters"]["malformed"] == 0).then_some(())
    });
}

/// Payload (TCP Fast Open), ECN, options, IPv4 options and IPv6 extension headers.
pub(super) fn unusual(plain: &Segment) -> Vec<Vec<u8>> {
    let (from, to) = (plain.from.ip(), plain.to.ip());
    let at = |port: u16| Segment { from: SocketAddr::new(from, port), ..plain.clone() };
    let mut packets = vec![
        Segment { payload: b"early data".to_vec(), ..at(41_001) }.packet(),
        Segment { flags: flag::SYN | flag::ECE | flag::CWR, ..at(41_002) }.packet(),
        Segment { flags: flag::SYN | flag::PSH | flag::URG, ..at(41_003) }.packet(),
        Segment { options: vec![2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0], ..at(41_004) }
            .packet(),
        Segment { options: vec![1; 40], ..at(41_005) }.packet(),
        Segment { options: vec![34, 10, 1, 2, 3, 4, 5, 6, 7, 8], ..at(41_006) }.packet(),
    ];
    if from.is_ipv6() {
        // Destination options in front of the segment: padding only.
        let extension = [6, 0, 1, 4, 0, 0, 0, 0];
        packets.push(ip(from, to, 60, &[&extension[..], &at(41_007).encode()].concat()));
    }
    packets
}

/// The flags of the first segment that comes from there, those of ECN left out.
fn reply(sniffer: &mut Sniffer, from: IpAddr) -> u8 {
    loop {
        let packet = sniffer.next().unwrap_or_else(|| panic!("no reply from {from}"));
        let (source, segment): (IpAddr, &[u8]) = match packet[0] >> 4 {
            4 => (<[u8; 4]>::try_from(&packet[12..16]).unwrap().into(), &packet[20..]),
            6 => (<[u8; 16]>::try_from(&packet[8..24]).unwrap().into(), &packet[40..]),
            _ => continue,
        };
        if source == from {
            return segment[13] & !(flag::ECE | flag::CWR);
        }
    }
}
