//! HTTPS and SVCB records: their address hints teach, and nothing else in them.

use decider::dns::{DnsError, Nothing};

use super::answers::{Case, bad, nothing, teaches};
use super::bytes::{ANSWER, FIRST_NAME, HTTPS, INTERNET, Message, SVCB, alias, entry, name, pointer, record};
use crate::Family;

const ALPN: u16 = 1;

/// The key of a family's hint (RFC 9460, 14.3.2).
fn hint_key(family: Family) -> u16 {
    match family {
        Family::V4 => 4,
        Family::V6 => 6,
    }
}

fn parameter(key: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap();
    [&key.to_be_bytes(), &length.to_be_bytes(), value].concat()
}

/// The data of a service binding.
fn binding(priority: u16, target: &[u8], parameters: &[Vec<u8>]) -> Vec<u8> {
    [&priority.to_be_bytes(), target, &parameters.concat()].concat()
}

fn hint(family: Family, numbers: &[u8]) -> Vec<u8> {
    let addresses: Vec<u8> = numbers.iter().flat_map(|&n| family.data(n)).collect();
    parameter(hint_key(family), &addresses)
}

fn https(data: &[u8]) -> Message {
    Message::new(ANSWER, entry(&name("github.com"), HTTPS, INTERNET)).answer(record(
        &pointer(FIRST_NAME),
        HTTPS,
        300,
        data,
    ))
}

pub const CASES: &[Case] = &[
    teaches("with a hint", &[(1, 300)], |family| https(&binding(1, &[0], &[hint(family, &[1])])).bytes()),
    teaches("with two hints behind another parameter", &[(1, 300), (2, 300)], |family| {
        https(&binding(1, &[0], &[parameter(ALPN, b"\x02h2"), hint(family, &[1, 2])])).bytes()
    }),
    teaches("with a hint and another target", &[(1, 300)], |family| {
        https(&binding(1, &name("svc.example"), &[hint(family, &[1])])).bytes()
    }),
    teaches("with a hint at the end of a chain", &[(1, 300)], |family| {
        Message::new(ANSWER, entry(&name("github.com"), HTTPS, INTERNET))
            .answer(alias("github.com", "a.example", 300))
            .answer(record(&name("a.example"), HTTPS, 300, &binding(1, &[0], &[hint(family, &[1])])))
            .bytes()
    }),
    teaches("to a question for SVCB", &[(1, 300)], |family| {
        Message::new(ANSWER, entry(&name("_dns.github.com"), SVCB, INTERNET))
            .answer(record(&pointer(FIRST_NAME), SVCB, 300, &binding(1, &[0], &[hint(family, &[1])])))
            .bytes()
    }),
    nothing("with a hint of another name", Nothing::NoAddress, |family| {
        Message::new(ANSWER, entry(&name("github.com"), HTTPS, INTERNET))
            .answer(record(&name("evil.example"), HTTPS, 300, &binding(1, &[0], &[hint(family, &[66])])))
            .bytes()
    }),
    nothing("with a hint in the additional section", Nothing::NoAddress, |family| {
        Message::new(ANSWER, entry(&name("github.com"), HTTPS, INTERNET))
            .additional(record(&pointer(FIRST_NAME), HTTPS, 300, &binding(1, &[0], &[hint(family, &[66])])))
            .bytes()
    }),
    nothing("with an address record for HTTPS", Nothing::NoAddress, |family| {
        https(&binding(1, &[0], &[])).answer(record(&pointer(FIRST_NAME), family.kind(), 300, &family.data(66))).bytes()
    }),
    nothing("with the hint of an alias", Nothing::NoAddress, |family| {
        https(&binding(0, &name("svc.example"), &[hint(family, &[66])])).bytes()
    }),
    nothing("with no parameter", Nothing::NoAddress, |_| https(&binding(1, &[0], &[])).bytes()),
    bad("with an empty hint", DnsError::RecordData, |family| https(&binding(1, &[0], &[hint(family, &[])])).bytes()),
    bad("with a hint of three bytes", DnsError::RecordData, |family| {
        https(&binding(1, &[0], &[parameter(hint_key(family), &[192, 0, 2])])).bytes()
    }),
    bad("with a hint and a half", DnsError::RecordData, |family| {
        let value = [family.data(1), vec![1]].concat();
        https(&binding(1, &[0], &[parameter(hint_key(family), &value)])).bytes()
    }),
    bad("with two hints of one family", DnsError::RecordData, |family| {
        https(&binding(1, &[0], &[hint(family, &[1]), hint(family, &[2])])).bytes()
    }),
    bad("with parameters out of order", DnsError::RecordData, |family| {
        https(&binding(1, &[0], &[hint(family, &[1]), parameter(ALPN, b"\x02h2")])).bytes()
    }),
    bad("with a parameter that is longer than its record", DnsError::RecordData, |_| {
        https(&binding(1, &[0], &[vec![0, 4, 0xff, 0xff, 192]])).bytes()
    }),
    bad("with half a key", DnsError::RecordData, |_| https(&binding(1, &[0], &[vec![0]])).bytes()),
    bad("with a compressed target", DnsError::RecordData, |family| {
        https(&binding(1, &pointer(FIRST_NAME), &[hint(family, &[1])])).bytes()
    }),
    bad("with a target without an end", DnsError::RecordData, |_| {
        https(&binding(1, &[3, b's', b'v', b'c'], &[])).bytes()
    }),
    bad("of one byte", DnsError::RecordData, |_| https(&[0]).bytes()),
    bad("of no bytes", DnsError::RecordData, |_| https(&[]).bytes()),
];
