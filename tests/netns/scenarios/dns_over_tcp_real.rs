//! Real resolvers and the system's own resolver library, over TCP.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::{Command, Stdio};

use crate::world::{DnsStream, Family, Message, Place, Question, Resolving, Software, both, framed, resolv_conf};

/// Addresses of the name that has many: too many for a message over UDP.
const MANY: u16 = 120;

fn one_of_many(family: Family, number: u16) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 7, 0)) + u32::from(number)).into(),
        Family::V6 => Ipv6Addr::new(0x2001, 0xdb8, 0x18, 7, 0, 0, 0, number).into(),
    }
}

fn all_of_many(family: Family) -> BTreeSet<IpAddr> {
    (1..=MANY).map(|number| one_of_many(family, number)).collect()
}

/// The resolver's own records: github.com has many addresses.
fn options(software: Software) -> Vec<String> {
    let addresses = || Family::BOTH.into_iter().flat_map(all_of_many);
    match software {
        Software::Dnsmasq => addresses().map(|address| format!("--host-record=github.com,{address}")).collect(),
        Software::Unbound => {
            let record = |address: IpAddr| {
                let kind = if address.is_ipv4() { "A" } else { "AAAA" };
                format!("local-data: \"github.com. 60 IN {kind} {address}\"")
            };
            // Without this the whole of .com would be its own.
            let zone = "local-zone: \"github.com.\" transparent".to_owned();
            std::iter::once(zone).chain(addresses().map(record)).collect()
        }
    }
}

fn each_kind(mut part: impl FnMut(&Resolving)) {
    for (software, place) in Software::BOTH.into_iter().flat_map(|one| Place::BOTH.map(|place| (one, place))) {
        let options = options(software);
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        part(&Resolving::start(software, place, &options, ""));
    }
}

/// What the C library of a client says of github.com.
fn getaddrinfo(resolving: &Resolving, family: Family) -> BTreeSet<IpAddr> {
    let resolv_conf = resolv_conf(resolving.world.gateway.directory.path(), resolving.address(family));
    let database = if family == Family::V4 { "ahostsv4" } else { "ahostsv6" };
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\""]);
    command.arg(resolv_conf).args(["getent", database, "github.com"]).stdin(Stdio::null());
    let output = resolving.client().namespace.enter(|| command.output().unwrap());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
}

#[test]
fn an_answer_that_is_cut_over_udp_is_had_over_tcp() {
    each_kind(|resolving| {
        let world = &resolving.world;
        both(|family| {
            let connections = || world.gateway.status()["dns"]["tcp"]["connections"].as_u64().unwrap();
            let before = connections();
            assert_eq!(getaddrinfo(resolving, family), all_of_many(family));
            assert!(connections() > before, "{}", world.gateway.status());
            // What was in no message over UDP counts.
            for number in [1, MANY / 2, MANY] {
                let address = one_of_many(family, number);
                let reached = resolving.client().reach(address, 22);
                assert!(reached.is_ok(), "{address}: {reached:?}, {:#?}", world.gateway.events());
            }
        });
        assert_eq!(world.internet.wire.leaked(), []);
    });
}

#[test]
fn pipelined_questions_that_end_in_a_half_close_are_all_answered() {
    each_kind(|resolving| {
        both(|family| {
            let mut stream = DnsStream::open(resolving.client(), resolving.address(family)).unwrap();
            let names = ["github.com", "gitlab.com", "db.example.com", "one.example", "two.example"];
            let questions = (1u16..).zip(names).map(|(id, name)| Message::query(id, Question::new(name, family)));
            stream.say_bytes(&questions.flat_map(|query| framed(&query.encode())).collect::<Vec<u8>>()).unwrap();
            stream.has_said_all();
            let answers: BTreeSet<u16> = names
                .iter()
                .map(|_| {
                    let answer = stream.hear_message();
                    assert!(!answer.addresses.is_empty(), "{answer:?}");
                    answer.id
                })
                .collect();
            assert_eq!(answers.len(), names.len());
            stream.ends();
        });
    });
}
