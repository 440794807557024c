use std::hint::black_box;
use std::net::{IpAddr, SocketAddr};

use decider::{dns, packet};

use crate::clocked::cost;
use crate::report::{Report, Row};
use crate::world::{FAMILIES, Family, Size, name};

/// Reading packets and DNS messages.
pub fn measure(size: &Size, report: &mut Report) {
    for family in FAMILIES {
        let bytes = syn(family);
        packet::syn(&bytes).unwrap();
        let syn = cost(size, |_| {
            let _ = black_box(packet::syn(black_box(&bytes)));
        });
        report.add(Row::of("parse a SYN", syn).family(family));
    }
    let bytes = answer();
    assert!(matches!(dns::answer(&bytes).unwrap().outcome, dns::Outcome::Addresses { .. }));
    let answer = cost(size, |_| {
        let _ = black_box(dns::answer(black_box(&bytes)));
    });
    report.add(Row::of("parse an answer with an address", answer).family(Family::V4));
}

/// A SYN with the options that Linux sends; checksums are the kernel's business.
fn syn(family: Family) -> Vec<u8> {
    let (client, server) = (SocketAddr::new(family.client(1), 40_000), SocketAddr::new(family.server(1), 22));
    let options = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7];
    let mut tcp = [client.port().to_be_bytes(), server.port().to_be_bytes()].concat();
    tcp.extend([0, 0, 0, 1, 0, 0, 0, 0, 0xa0, 2, 0xfa, 0xf0, 0, 0, 0, 0]);
    tcp.extend(options);
    let mut ip = match family {
        Family::V4 => vec![0x45, 0, 0, 60, 0, 1, 0x40, 0, 64, 6, 0, 0],
        Family::V6 => vec![0x60, 0, 0, 0, 0, 40, 6, 64],
    };
    for end in [client.ip(), server.ip()] {
        match end {
            IpAddr::V4(address) => ip.extend(address.octets()),
            IpAddr::V6(address) => ip.extend(address.octets()),
        }
    }
    ip.extend(tcp);
    ip
}

/// The answer to a question for A: one record, its name a pointer to the question's.
fn answer() -> Vec<u8> {
    let mut bytes = vec![0, 7, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
    for label in name(7).as_str().split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.as_bytes());
    }
    bytes.extend([0, 0, 1, 0, 1]);
    bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
    bytes
}
