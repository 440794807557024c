//! Captures, and what is decided of them.

use std::net::{IpAddr, SocketAddr};

use decider::model::Epoch;
use decider::policy::{Policy, SlotTable, load};
use decider::record::Record;
use decider::replay::{Capture, CaptureError, Clients, Player, Totals};

use crate::packets::{Family, answer, question, tcp, udp};
use crate::written::{ETHERNET, Frame, Order, framed, pcap};

pub const POLICY: &str = "\
version: 1
intercept: { gateway: { interfaces: [lan0] } }
dns: { resolvers: [10.77.2.53, \"fd77:2::53\"] }
rules:
  - { domain: github.com, proto: ssh }
";

/// What came of a capture.
pub struct Played {
    pub records: Vec<Record>,
    pub totals: Totals,
    pub end: Result<(), CaptureError>,
}

impl Played {
    /// Each decision in the words of events: verdict, reason, name, port.
    pub fn decisions(&self) -> Vec<String> {
        let name = |record: &Record| record.domain.as_ref().map_or("-".to_owned(), ToString::to_string);
        let words = |record: &Record| {
            format!("{} {} {} {} {}", record.verdict, record.reason, name(record), record.transport, record.dst.port())
        };
        self.records.iter().map(words).collect()
    }
}

pub fn policy(text: &str) -> Policy {
    let spec = load(text).unwrap().spec;
    let mut slots = SlotTable::default();
    slots.assign(&spec).unwrap();
    Policy::compile(spec, &slots, Epoch::default()).unwrap()
}

/// Plays a capture file.
pub fn play_file(policy_text: &str, clients: Clients, file: &[u8]) -> Result<Played, CaptureError> {
    let mut player = Player::new(policy(policy_text), clients);
    let mut records = Vec::new();
    let end = Capture::open(file)?.each(|captured| player.play(&captured, |record| records.push(record)));
    Ok(Played { records, totals: player.into_totals(), end })
}

/// Plays packets, with their milliseconds.
pub fn play(policy_text: &str, packets: &[(u64, Vec<u8>)]) -> Played {
    play_for(policy_text, Clients::default(), packets)
}

pub fn play_for(policy_text: &str, clients: Clients, packets: &[(u64, Vec<u8>)]) -> Played {
    let played = play_file(policy_text, clients, &pcap(Order::Little, false, ETHERNET, &ethernet(packets))).unwrap();
    played.end.as_ref().unwrap();
    played
}

pub fn ethernet(packets: &[(u64, Vec<u8>)]) -> Vec<Frame> {
    packets.iter().map(|(millis, packet)| Frame::new(*millis, framed(ETHERNET, packet))).collect()
}

pub fn end(address: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(address, port)
}

/// A client looks a name up: question and answer.
pub fn look_up(millis: u64, client: IpAddr, family: Family, name: &str, at: IpAddr) -> [(u64, Vec<u8>); 2] {
    let (client, resolver) = (end(client, 5353 + 1), end(family.resolver(), 53));
    [
        (millis, udp(client, resolver, &question(name, family))),
        (millis + 1, udp(resolver, client, &answer(name, family, &[at]))),
    ]
}

/// A client connects: its SYN, with a sequence number of its own.
pub fn connect(millis: u64, from: SocketAddr, to: SocketAddr) -> (u64, Vec<u8>) {
    (millis, tcp(from, to, crate::packets::SYN, u32::from(from.port()) * 1000, b""))
}
