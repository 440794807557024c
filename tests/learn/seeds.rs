//! Events and captures as files: what the fuzz targets begin with.

use std::net::SocketAddr;
use std::path::PathBuf;

use decider::model::Reason;
use decider::record::Event;

use crate::events::{CLIENT, TWIN, lines, named, refused, unnamed};
use crate::packets::{ACK, BOTH, FIN, Family, SYN, answer, question, tcp, udp};
use crate::written::{ETHERNET, Frame, Order, RAW, framed, pcap, pcapng};

/// Into the folder `DECIDER_SEEDS` if there is one, as tests/fuzz/run wants it.
#[test]
fn write() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("DECIDER_SEEDS").map_or(scratch.path().to_owned(), PathBuf::from);
    let captures = captures();
    let seeds = [("capture", captures.clone()), ("learn", [vec![lines(&events()).into_bytes()], captures].concat())];
    for (target, seeds) in seeds {
        let folder = folder.join(target);
        std::fs::create_dir_all(&folder).unwrap();
        for (index, seed) in seeds.iter().enumerate() {
            assert!(!seed.is_empty());
            std::fs::write(folder.join(format!("seed-{index}")), seed).unwrap();
        }
    }
}

fn events() -> Vec<Event> {
    let siblings = ["a", "b", "c"].map(|label| named(0, CLIENT, &format!("{label}.example.com"), "192.0.2.1", 443));
    let others = [
        named(1, TWIN, "github.com", "2001:db8::10", 22),
        named(2, TWIN, "a.co.uk", "2001:db8::11", 53),
        Event { repeated: Some(40), ..refused(Reason::NoObservation, unnamed(3, TWIN, "2001:db8:66::66", 22)) },
        refused(Reason::DeniedByRule, named(4, CLIENT, "d.example.com", "192.0.2.4", 443)),
        refused(Reason::PrivateAddress, named(5, CLIENT, "in.example", "10.1.1.1", 22)),
        Event { reason: Reason::ProtoNotAllowed, proto: "udp".to_owned(), ..unnamed(6, CLIENT, "192.0.2.5", 123) },
    ];
    [&siblings[..], &others].concat()
}

/// A name is looked up, and connected to, and so is one that nobody looked up.
fn captures() -> Vec<Vec<u8>> {
    let session = |link: u16| -> Vec<Frame> {
        let packets = BOTH.iter().flat_map(|&family| packets(family)).enumerate();
        packets.map(|(at, bytes)| Frame::new(at as u64, framed(link, &bytes))).collect()
    };
    vec![
        pcap(Order::Little, false, RAW, &session(RAW)),
        pcap(Order::Big, true, ETHERNET, &session(ETHERNET)),
        pcapng(Order::Little, ETHERNET, &session(ETHERNET)),
    ]
}

fn packets(family: Family) -> Vec<Vec<u8>> {
    let from = |port| SocketAddr::new(family.client(), port);
    let (resolver, github) = (SocketAddr::new(family.resolver(), 53), SocketAddr::new(family.github(), 22));
    let over_tcp = |message: Vec<u8>| [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], &message].concat();
    let asked = question("github.com", family);
    let answered = answer("github.com", family, &[family.github()]);
    vec![
        udp(from(40_000), resolver, &asked),
        udp(resolver, from(40_000), &answered),
        tcp(from(40_001), github, SYN, 1, b""),
        tcp(github, from(40_001), SYN | ACK, 1, b""),
        tcp(from(40_001), github, FIN | ACK, 2, b""),
        tcp(github, from(40_001), FIN | ACK, 2, b""),
        tcp(from(40_002), resolver, SYN, 1, b""),
        tcp(resolver, from(40_002), SYN | ACK, 1, b""),
        tcp(from(40_002), resolver, ACK, 2, &over_tcp(asked)),
        tcp(resolver, from(40_002), ACK, 2, &over_tcp(answered)),
        tcp(from(40_003), SocketAddr::new(family.stranger(), 22), SYN, 1, b""),
        udp(from(40_004), SocketAddr::new(family.stranger(), 123), b"x"),
    ]
}
