use decider::replay::{Capture, CaptureError, Clients};

use crate::packets::{BOTH, Family};
use crate::played::{POLICY, connect, end, ethernet, look_up, play_file};
use crate::written::{BEGIN, ETHERNET, Frame, Order, RAW, framed, pcap, pcapng, pcapng_of_two};

/// A client that looks github.com up and connects to it.
fn session(family: Family) -> Vec<(u64, Vec<u8>)> {
    let mut packets = look_up(0, family.client(), family, "github.com", family.github()).to_vec();
    packets.push(connect(1234, end(family.client(), 40_000), end(family.github(), 22)));
    packets
}

fn is_allowed(file: &[u8], case: &str) {
    let played = play_file(POLICY, Clients::default(), file).unwrap();
    assert_eq!(played.decisions(), ["allow allowed github.com tcp 22"], "{case}");
    assert_eq!(played.records[0].at.nanos(), BEGIN * 1_000_000_000 + 1_234_000_000, "{case}");
}

#[test]
fn both_formats_in_both_orders_with_their_times() {
    for family in BOTH {
        let frames = ethernet(&session(family));
        for order in [Order::Little, Order::Big] {
            is_allowed(&pcap(order, false, ETHERNET, &frames), "pcap");
            is_allowed(&pcap(order, true, ETHERNET, &frames), "pcap of nanoseconds");
            is_allowed(&pcapng(order, ETHERNET, &frames), "pcapng");
            let twice = [pcapng(order, RAW, &[]), pcapng(order, ETHERNET, &frames)].concat();
            is_allowed(&twice, "pcapng of two sections");
        }
    }
}

#[test]
fn each_interface_of_pcapng_has_its_own_link_and_clock() {
    // The parser reads the seconds of a big-endian file the wrong way round.
    let file = pcapng_of_two(Order::Little, [0x45, 0, 0, 0]);
    let mut found = Vec::new();
    Capture::open(&*file).unwrap().each(|captured| found.push((captured.link, captured.at.nanos()))).unwrap();
    // The first counts microseconds, the second milliseconds, five seconds behind.
    assert_eq!(found, [(ETHERNET, 7_000), (RAW, 5_007_000_000)]);
}

#[test]
fn each_link_type_that_captures_come_in() {
    for family in BOTH {
        for link in [0, 1, 12, 14, 101, 108, 113, 276, if family == Family::V4 { 228 } else { 229 }] {
            let frames: Vec<Frame> =
                session(family).into_iter().map(|(millis, packet)| Frame::new(millis, framed(link, &packet))).collect();
            is_allowed(&pcap(Order::Little, false, link, &frames), &format!("link type {link}"));
        }
        let tagged = |tags: &[u8], packet: &[u8]| {
            let frame = framed(ETHERNET, packet);
            [&frame[..12], tags, &frame[12..]].concat()
        };
        for tags in [&[0x81, 0, 0, 7][..], &[0x88, 0xa8, 0, 7, 0x81, 0, 0, 9]] {
            let frames: Vec<Frame> =
                session(family).iter().map(|(millis, packet)| Frame::new(*millis, tagged(tags, packet))).collect();
            is_allowed(&pcap(Order::Little, false, ETHERNET, &frames), "VLAN");
        }
    }
}

#[test]
fn a_link_type_that_is_not_known_is_said() {
    let frames = ethernet(&session(Family::V4));
    let played = play_file(POLICY, Clients::default(), &pcap(Order::Little, false, 105, &frames)).unwrap();
    assert_eq!((played.records.len(), played.totals.unknown_links[&105]), (0, 3));
}

#[test]
fn a_dns_message_that_the_capture_cut_teaches_nothing() {
    for family in BOTH {
        let mut frames = ethernet(&session(family));
        let answer = &mut frames[1];
        answer.bytes.truncate(answer.bytes.len() - 5);
        let file = pcapng(Order::Little, ETHERNET, &frames);
        let played = play_file(POLICY, Clients::default(), &file).unwrap();
        assert_eq!(played.decisions(), ["deny no-observation - tcp 22"]);
        assert_eq!(played.totals.incomplete, 1);
    }
}

#[test]
fn a_file_that_ends_anywhere_gives_what_came_before() {
    let frames = ethernet(&session(Family::V6));
    for file in [pcap(Order::Little, false, ETHERNET, &frames), pcapng(Order::Big, ETHERNET, &frames)] {
        let mut cut_off = 0;
        for length in 0..file.len() {
            match play_file(POLICY, Clients::default(), &file[..length]) {
                Err(error) => assert!(matches!(error, CaptureError::NotACapture), "{length}: {error}"),
                Ok(played) => {
                    assert!(played.records.is_empty());
                    match played.end {
                        Ok(()) => {}
                        Err(CaptureError::CutOff) => cut_off += 1,
                        Err(error) => unreachable!("cut at {length}: {error}"),
                    }
                }
            }
        }
        assert!(cut_off > file.len() / 2, "{cut_off} of {}", file.len());
    }
}

#[test]
fn rubbish_is_no_capture_and_damage_is_an_error_or_another_packet() {
    for rubbish in [&b""[..], b"x", b"no capture at all, but long enough to be one", &[0; 100], &[0xff; 5000]] {
        assert!(matches!(play_file(POLICY, Clients::default(), rubbish), Err(CaptureError::NotACapture)));
    }
    let frames = ethernet(&session(Family::V4));
    for file in [pcap(Order::Big, false, ETHERNET, &frames), pcapng(Order::Little, ETHERNET, &frames)] {
        for at in 0..file.len() {
            for damage in [0x01, 0x80, 0xff] {
                let mut damaged = file.clone();
                damaged[at] ^= damage;
                let _ = play_file(POLICY, Clients::default(), &damaged);
            }
        }
    }
}

#[test]
fn a_packet_that_claims_gigabytes_is_not_waited_for() {
    let mut file = pcap(Order::Little, false, ETHERNET, &ethernet(&session(Family::V4)));
    let lengths = [u32::MAX.to_le_bytes(), u32::MAX.to_le_bytes()].concat();
    file.extend([&[0; 8][..], &lengths].concat());
    // Nothing behind it may be as long as that, so it is damage, once more has come than any packet takes.
    file.extend(vec![0; 20 << 20]);
    let played = play_file(POLICY, Clients::default(), &file).unwrap();
    assert!(matches!(played.end, Err(CaptureError::Damaged(_))), "{:?}", played.end);
    assert_eq!(played.records.len(), 1);
}
