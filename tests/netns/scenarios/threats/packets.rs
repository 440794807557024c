//! Around the SYN: packets in pieces, behind other headers, of other protocols, and to the gateway itself.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::world::{
    BannerServer, CLIENTS, Covered, Family, GATEWAY, GATEWAY_INSIDE, GITHUB, RawSender, STRANGER, Segment, Setup,
    Sniffer, Wire, World, both, datagram, eventually, flag, ip,
};

const PORT: u16 = 42_000;
const TCP: u8 = 6;
const FRAGMENT: u8 = 44;
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const DESTINATION: u8 = 60;

fn syn(world: &World, family: Family, from: u16, to: IpAddr, port: u16) -> Segment {
    Segment::syn(SocketAddr::new(world.covered(0).address(family), from), SocketAddr::new(to, port))
}

/// A piece of a packet's content, at that offset, with more behind it or not.
fn piece(whole: &Segment, id: u16, offset: u16, more: bool, content: &[u8]) -> Vec<u8> {
    let (from, to) = (whole.from.ip(), whole.to.ip());
    if from.is_ipv4() {
        let mut packet = ip(from, to, TCP, content);
        packet[4..6].copy_from_slice(&id.to_be_bytes());
        packet[6..8].copy_from_slice(&((u16::from(more) << 13) | (offset / 8)).to_be_bytes());
        return packet;
    }
    let mut bytes = vec![TCP, 0];
    bytes.extend((offset | u16::from(more)).to_be_bytes());
    bytes.extend(u32::from(id).to_be_bytes());
    ip(from, to, FRAGMENT, &[&bytes, content].concat())
}

/// IPv6 wants all of the TCP header in the first piece (RFC 8200, 4.5), so there has to be something behind it.
fn with_data(mut syn: Segment) -> Segment {
    syn.options = vec![1; 4];
    syn.payload = b"SSH-2.0-early".to_vec();
    syn
}

/// The flags of the next segment from there, if one comes.
fn reply(sniffer: &mut Sniffer, from: IpAddr) -> Option<u8> {
    while let Some(packet) = sniffer.next() {
        let (source, segment): (IpAddr, &[u8]) = match packet[0] >> 4 {
            4 => (<[u8; 4]>::try_from(&packet[12..16]).unwrap().into(), &packet[20..]),
            _ => (<[u8; 16]>::try_from(&packet[8..24]).unwrap().into(), &packet[40..]),
        };
        if source == from {
            return Some(segment[13]);
        }
    }
    None
}

fn ends(world: &World) -> Value {
    assert_eq!(world.internet.wire.leaked(), []);
    for stranger in STRANGER.both() {
        assert_eq!(world.internet.wire.to(stranger), []);
    }
    let counters = world.gateway.adds_up();
    assert_eq!(world.gateway.status()["state"], "ok");
    counters
}

pub fn a_syn_in_pieces(covered: Covered) {
    let world = Setup { covered, ..Setup::default() }.start();
    let sender = RawSender::new(&world.covered(0).namespace);
    both(|family| {
        world.covered(0).look_up("github.com", family);
        for (id, to, wanted) in [(1, GITHUB, flag::SYN | flag::ACK), (2, STRANGER, flag::RST | flag::ACK)] {
            let whole = with_data(syn(&world, family, PORT + id, to.of(family), 22));
            let bytes = whole.encode();
            let mut sniffer = Sniffer::new(&world.covered(0).namespace);
            // The last piece comes first.
            for (from, to) in [(32, bytes.len()), (0, 24), (24, 32)] {
                let more = to < bytes.len();
                sender.send(&piece(&whole, id, u16::try_from(from).unwrap(), more, &bytes[from..to]));
            }
            let told = reply(&mut sniffer, to.of(family));
            match (covered, family) {
                // IPv6 does not put together on `lo` what it put together on its way out: no socket knows the pieces.
                (Covered::Host, Family::V6) => assert_eq!(told, Some(flag::RST | flag::ACK)),
                _ => assert_eq!(told, Some(wanted), "{family:?}"),
            }
        }
        world.gateway.event(STRANGER.of(family), 22, "no-observation");
    });
    let counters = ends(&world);
    assert_eq!((&counters["allowed"], &counters["denied"]), (&2.into(), &2.into()), "{counters}");
}

#[test]
fn line_18_a_syn_in_pieces_is_decided_as_the_whole_that_it_makes() {
    a_syn_in_pieces(Covered::Clients);
}

/// The second piece writes over a part of the first one.
pub fn pieces_that_overlap(covered: Covered) {
    let world = Setup { covered, ..Setup::default() }.start();
    let sender = RawSender::new(&world.covered(0).namespace);
    both(|family| {
        world.covered(0).look_up("github.com", family);
        let mut sniffer = Sniffer::new(&world.covered(0).namespace);
        for (id, first) in [(11, true), (12, false)] {
            let allowed = with_data(syn(&world, family, PORT + id, GITHUB.of(family), 22));
            let other = with_data(syn(&world, family, PORT + id, GITHUB.of(family), 8022)).encode();
            let pieces =
                [piece(&allowed, id, 0, true, &allowed.encode()[..24]), piece(&allowed, id, 16, false, &other[16..])];
            let [one, two] = if first { [0, 1] } else { [1, 0] };
            sender.send(&pieces[one]);
            sender.send(&pieces[two]);
        }
        // Nobody answers: there is no whole.
        assert_eq!(reply(&mut sniffer, GITHUB.of(family)), None, "{family:?}");
        // What comes in pieces and is no beginning of a connection is seen in the whole.
        let odd = with_data(syn(&world, family, PORT + 13, STRANGER.of(family), 22));
        let odd = Segment { flags: flag::PSH | flag::ACK, ..odd };
        let bytes = odd.encode();
        sender.send(&piece(&odd, 13, 0, true, &bytes[..24]));
        sender.send(&piece(&odd, 13, 24, false, &bytes[24..]));
        world.gateway.event(STRANGER.of(family), 22, "not-a-syn");
    });
    for address in GITHUB.both() {
        assert_eq!(world.internet.wire.to(address), []);
    }
    assert_eq!(world.internet.wire.leaked(), []);
    both(|family| assert!(world.covered(0).reach(GITHUB.of(family), 22).is_ok()));
    ends(&world);
}

#[test]
fn line_18_pieces_that_overlap_come_to_nothing() {
    pieces_that_overlap(Covered::Clients);
}

/// IPv6 in front of the segment, IPv4 within the header: options by which a packet says that it goes elsewhere, or that
/// there is more to it.
pub fn other_headers(covered: Covered) {
    let world = Setup { covered, ..Setup::default() }.start();
    let sender = RawSender::new(&world.covered(0).namespace);
    let to = |family: Family, port: u16| syn(&world, family, port, STRANGER.of(family), 22);
    let v6 = |first: u8, header: &[u8], port: u16| {
        let whole = to(Family::V6, port);
        ip(whole.from.ip(), whole.to.ip(), first, &[header, &whole.encode()].concat())
    };
    let padding = [TCP, 0, 1, 4, 0, 0, 0, 0];
    let onward = [TCP, 2, 4, 1, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10];
    sender.send(&v6(HOP_BY_HOP, &padding, PORT + 21));
    sender.send(&v6(DESTINATION, &padding, PORT + 22));
    world.gateway.event(STRANGER.of(Family::V6), 22, "no-observation");
    sender.send(&v6(ROUTING, &onward, PORT + 23));
    malformed(&world, 1);
    let v4 = |options: &[u8], port: u16| {
        let whole = to(Family::V4, port);
        let mut packet = ip(whole.from.ip(), whole.to.ip(), TCP, &[options, &whole.encode()].concat());
        packet[0] = 0x45 + u8::try_from(options.len() / 4).unwrap();
        packet
    };
    sender.send(&v4(&[1, 1, 1, 0], PORT + 24));
    world.gateway.event(STRANGER.of(Family::V4), 22, "no-observation");
    // A loose source route over github.com: the kernel drops it, or decider says what it is.
    let _ = sender.try_send(&v4(&[131, 7, 4, 198, 51, 100, 10, 0], PORT + 25));
    // IPv4 addresses in those of IPv6, at either end.
    let mapped: IpAddr = "::ffff:198.51.100.66".parse().unwrap();
    let own = world.covered(0).address(Family::V6);
    for (from, to) in [(own, mapped), ("::ffff:10.77.1.2".parse().unwrap(), STRANGER.of(Family::V6))] {
        let segment = Segment::syn(SocketAddr::new(from, PORT + 26), SocketAddr::new(to, 22));
        let _ = sender.try_send(&segment.packet());
    }
    ends(&world);
    assert_eq!(world.internet.wire.to(mapped), []);
}

#[test]
fn line_18_other_headers_change_nothing_or_are_refused() {
    other_headers(Covered::Clients);
}

fn malformed(world: &World, least: u64) {
    eventually("packets that are refused for what they are", || {
        (world.gateway.status()["counters"]["malformed"].as_u64()? >= least).then_some(())
    });
}

/// Protocols without rules, by number: ICMP and `ICMPv6` with a message, IPv4 and IPv6 in IP, UDP, DCCP, GRE, ESP, AH, SCTP and
/// what is for experiments.
const PROTOCOLS: [(u8, &str); 10] = [
    (4, "ip-4"),
    (17, "udp"),
    (33, "ip-33"),
    (41, "ip-41"),
    (47, "ip-47"),
    (50, "ip-50"),
    (94, "ip-94"),
    (132, "ip-132"),
    (253, "ip-253"),
    (0xff, "icmp"),
];

pub fn other_protocols(covered: Covered) {
    let world = Setup { covered, ..Setup::default() }.start();
    let sender = RawSender::new(&world.covered(0).namespace);
    both(|family| {
        // A name that is allowed on its port is no more open by another protocol than a stranger.
        world.covered(0).look_up("github.com", family);
        for to in [STRANGER.of(family), GITHUB.of(family)] {
            let from = world.covered(0).address(family);
            for (number, word) in PROTOCOLS {
                let packet = match (number, family) {
                    (17, _) => datagram(SocketAddr::new(from, PORT), SocketAddr::new(to, 22), b"secret"),
                    (132, _) => ip(from, to, number, &association()),
                    (0xff, Family::V4) => ip(from, to, 1, &echo(8, from, to)),
                    (0xff, Family::V6) => ip(from, to, 58, &echo(128, from, to)),
                    _ => ip(from, to, number, b"\x10\x00\x00\x16 whatever it takes: secret"),
                };
                sender.send(&packet);
                refused(&world, to, word);
            }
            assert_eq!(world.internet.wire.to(to), []);
        }
    });
    for address in GITHUB.both() {
        assert_eq!(world.internet.wire.to(address), []);
    }
    let refused = world.gateway.status()["refused_in_kernel"]["proto-not-allowed"].as_u64().unwrap();
    assert_eq!(refused, 4 * PROTOCOLS.len() as u64);
    // There is something to add up.
    both(|family| world.covered(0).is_refused(STRANGER.of(family), 22));
    ends(&world);
}

#[test]
fn line_19_other_protocols_do_not_get_out() {
    other_protocols(Covered::Clients);
}

/// The first packet of SCTP (INIT): a damaged one would be refused for that (RFC 9260, 3.3.2).
fn association() -> Vec<u8> {
    let mut bytes =
        vec![0xa4, 0x10, 0, 22, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 20, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1];
    // CRC-32C, the lowest bit first (RFC 9260, appendix A).
    let sum = !bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0x82f6_3b78 } else { sum >> 1 })
    });
    bytes[8..12].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// A ping with a message in it.
fn echo(kind: u8, from: IpAddr, to: IpAddr) -> Vec<u8> {
    let mut bytes = vec![kind, 0, 0, 0, 0, 1, 0, 1];
    bytes.extend(b"a secret");
    let pseudo = match (from, to) {
        (IpAddr::V6(from), IpAddr::V6(to)) => [&from.octets()[..], &to.octets(), &[0, 0, 0, 16, 0, 0, 0, 58]].concat(),
        _ => vec![],
    };
    let all = [pseudo, bytes.clone()].concat();
    let sum: u32 = all.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let sum = !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap();
    bytes[2..4].copy_from_slice(&sum.to_be_bytes());
    bytes
}

fn refused(world: &World, to: IpAddr, proto: &str) {
    eventually(&format!("an event about {proto} to {to}"), || {
        let is_it = |event: &&Value| {
            let proto_is = event["proto"].as_str().is_some_and(|found| found.starts_with(proto));
            event["dst"] == to.to_string() && proto_is && event["reason"] == "proto-not-allowed"
        };
        world.gateway.events().iter().find(is_it).map(drop)
    });
}

#[test]
fn line_19_the_gateway_itself_and_other_clients_are_out_of_reach() {
    let world = Setup::default().start();
    let _servers = [22, 2222].map(|port| BannerServer::start(&world.gateway.namespace, port));
    let _other = BannerServer::start(&world.clients[1].namespace, 22);
    let wire = Wire::watch(&world.clients[1].namespace);
    let rules = world.gateway.json(&["rules"]);
    let listener = u16::try_from(rules[0]["listener_port"].as_u64().unwrap()).unwrap();
    both(|family| {
        // An Envoy listener, and the relay in front of it.
        for port in [22, 2222, listener, listener - 1] {
            for own in [GATEWAY, GATEWAY_INSIDE] {
                world.clients[0].is_refused(own.of(family), port);
                world.gateway.event(own.of(family), port, "local-service");
            }
        }
        world.clients[0].is_refused(CLIENTS[1].of(family), 22);
        world.gateway.event(CLIENTS[1].of(family), 22, "no-observation");
    });
    assert_eq!(wire.seen(), []);
    // By the gateway's address on the link, which no rule can name.
    let link = link_address(&world);
    let scope = world.clients[0].namespace.enter(|| nix::net::if_::if_nametoindex("eth0").unwrap());
    for port in [22, listener] {
        let to = SocketAddr::V6(SocketAddrV6::new(link, port, 0, scope));
        let tried = world.clients[0].namespace.enter(|| TcpStream::connect_timeout(&to, Duration::from_millis(500)));
        assert!(tried.is_err(), "{to} was reached");
    }
    let counted = &world.gateway.status()["refused_in_kernel"];
    assert!(
        counted["client-not-covered"].as_u64().unwrap() + counted["local-service"].as_u64().unwrap() >= 2,
        "{counted}"
    );
    ends(&world);
}

fn link_address(world: &World) -> Ipv6Addr {
    let shown = world.gateway.namespace.sh("ip -6 -o addr show dev lan1 scope link");
    shown.split_whitespace().nth(3).unwrap().split('/').next().unwrap().parse().unwrap()
}
