//! DNS messages, byte for byte.

use std::net::IpAddr;

use crate::asked::Question;

/// A question as a client sends it.
pub fn question(question: &Question) -> Vec<u8> {
    [&header(question.id, 0x0100, 0), &body(question)[..]].concat()
}

/// The resolver's answer to it: these addresses, for so many seconds.
pub fn answer(question: &Question, addresses: &[IpAddr], ttl: u64) -> Vec<u8> {
    let count = u16::try_from(addresses.len()).unwrap();
    let mut bytes = [&header(question.id, 0x8180, count), &body(question)[..]].concat();
    for address in addresses {
        // The name is that of the question, at byte 12.
        bytes.extend([0xc0, 12]);
        bytes.extend(question.record_type().to_be_bytes());
        bytes.extend([0, 1]);
        bytes.extend(u32::try_from(ttl).unwrap().to_be_bytes());
        match address {
            IpAddr::V4(address) => bytes.extend([&[0, 4], &address.octets()[..]].concat()),
            IpAddr::V6(address) => bytes.extend([&[0, 16], &address.octets()[..]].concat()),
        }
    }
    bytes
}

fn header(id: u16, flags: u16, answers: u16) -> [u8; 12] {
    let mut bytes = [0; 12];
    for (place, field) in bytes.chunks_mut(2).zip([id, flags, 1, answers, 0, 0]) {
        place.copy_from_slice(&field.to_be_bytes());
    }
    bytes
}

fn body(question: &Question) -> Vec<u8> {
    let mut bytes = vec![];
    for label in question.name.as_str().split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend(question.record_type().to_be_bytes());
    bytes.extend([0, 1]);
    bytes
}
