//! Answers over UDP that do not fit one packet: they come in fragments, whole, and teach all that they say.

use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

use crate::world::{Client, Family, Message, Place, Question, Resolving, Software, both};

/// One that makes a message of more than two packets, and fits 4,096 octets however it is written.
fn addresses(family: Family) -> Vec<IpAddr> {
    match family {
        Family::V4 => (1..=150).map(|last| [198, 18, 77, last].into()).collect(),
        Family::V6 => {
            (1..=100).map(|last| std::net::Ipv6Addr::new(0x2001, 0xdb8, 0x18, 77, 0, 0, 0, last).into()).collect()
        }
    }
}

const NAME: &str = "two.example";

/// EDNS with room for 4,096 octets (RFC 6891, 6.1.2).
const OPT: [u8; 11] = [0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0];

/// Asks with EDNS; the answer's length, and what it says.
fn ask(client: &Client, resolver: IpAddr, question: Question) -> (usize, Message) {
    let mut bytes = Message::query(7, question).encode();
    bytes[11] = 1;
    bytes.extend(OPT);
    client.namespace.enter(|| {
        let socket = UdpSocket::bind((client.address(Family::of(resolver)), 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        socket.send_to(&bytes, (resolver, 53)).unwrap();
        let mut buffer = [0; 8192];
        let length = socket.recv(&mut buffer).unwrap();
        (length, Message::decode(&buffer[..length]).unwrap())
    })
}

/// How many datagrams the client has put together from fragments.
fn put_together(client: &Client, family: Family) -> u64 {
    let text = client.namespace.sh("cat /proc/net/snmp /proc/net/snmp6");
    match family {
        Family::V4 => {
            let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
            let column = lines[0].iter().position(|word| *word == "ReasmOKs").unwrap();
            lines[1][column].parse().unwrap()
        }
        Family::V6 => {
            let line = text.lines().find_map(|line| line.strip_prefix("Ip6ReasmOKs")).unwrap();
            line.trim().parse().unwrap()
        }
    }
}

fn teach_all(software: Software, place: Place, options: &[&str]) {
    let mut resolving = Resolving::build(software, place, options, "");
    resolving.authority.put(NAME, &Family::BOTH.map(addresses).concat());
    resolving.world.gateway.start();
    both(|family| {
        let client = resolving.client();
        let before = put_together(client, family);
        // Asked twice: passed on, and of the cache.
        for _ in 0..2 {
            let (length, answer) = ask(client, resolving.address(family), Question::new(NAME, family));
            assert!(length > 2_000, "{software:?} answers in {length} octets");
            let mut found = answer.addresses;
            found.sort_unstable();
            assert_eq!(found, addresses(family));
        }
        assert_eq!(put_together(client, family), before + 2);
        for address in addresses(family).into_iter().step_by(10) {
            client.reach(address, 22).unwrap();
        }
    });
    resolving.every_question_was_answered(4);
    let counters = resolving.world.gateway.adds_up();
    assert_eq!((&counters["allowed"], &counters["denied"]), (&25.into(), &0.into()), "{counters}");
    assert_eq!(resolving.world.internet.wire.leaked(), []);
}

#[test]
fn of_a_resolver_on_the_gateway() {
    teach_all(Software::Unbound, Place::Gateway, &["edns-buffer-size: 4096", "max-udp-size: 4096"]);
    teach_all(Software::Dnsmasq, Place::Gateway, &["--edns-packet-max=4096"]);
}

#[test]
pub(super) fn of_a_resolver_beyond() {
    teach_all(Software::Unbound, Place::Beyond, &["edns-buffer-size: 4096", "max-udp-size: 4096"]);
    teach_all(Software::Dnsmasq, Place::Beyond, &["--edns-packet-max=4096"]);
}
