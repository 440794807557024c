//! DNS messages, put together from readable pieces.

use crate::Family;

pub const A: u16 = 1;
pub const NS: u16 = 2;
pub const CNAME: u16 = 5;
pub const SOA: u16 = 6;
pub const PTR: u16 = 12;
pub const MX: u16 = 15;
pub const TXT: u16 = 16;
pub const AAAA: u16 = 28;
pub const SRV: u16 = 33;
pub const DNAME: u16 = 39;
pub const OPT: u16 = 41;
pub const SVCB: u16 = 64;
pub const HTTPS: u16 = 65;
pub const ANY: u16 = 255;

pub const INTERNET: u16 = 1;
pub const CHAOS: u16 = 3;

/// Flags of a question that asks for recursion, and of its answer (RFC 1035, 4.1.1).
pub const QUESTION: u16 = 0x0100;
pub const ANSWER: u16 = 0x8180;
/// The answer that refuses.
pub const REFUSED: u16 = 0x8185;

/// Where the name of the first question begins.
pub const FIRST_NAME: u16 = 12;

impl Family {
    /// The type of its addresses' records.
    pub fn kind(self) -> u16 {
        match self {
            Self::V4 => A,
            Self::V6 => AAAA,
        }
    }

    /// The type of the other family's.
    pub fn other_kind(self) -> u16 {
        match self {
            Self::V4 => AAAA,
            Self::V6 => A,
        }
    }

    /// The data of an address record: the n-th, below a hundred, of the addresses that answers lead to. Written out, both
    /// families' addresses end alike.
    pub fn data(self, n: u8) -> Vec<u8> {
        match self {
            Self::V4 => vec![198, 51, 100, n],
            Self::V6 => vec![0x20, 1, 0xd, 0xb8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, n / 10 * 16 + n % 10],
        }
    }

    pub fn address(self, n: u8) -> std::net::IpAddr {
        match self {
            Self::V4 => std::net::IpAddr::from(<[u8; 4]>::try_from(self.data(n)).unwrap()),
            Self::V6 => std::net::IpAddr::from(<[u8; 16]>::try_from(self.data(n)).unwrap()),
        }
    }
}

/// A name, uncompressed. Labels are split at dots.
pub fn name(text: &str) -> Vec<u8> {
    let labels: Vec<&[u8]> = text.split('.').filter(|label| !label.is_empty()).map(str::as_bytes).collect();
    labels_to_name(&labels)
}

/// A name of these labels, whatever is in them.
pub fn labels_to_name(labels: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in labels {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(*label);
    }
    bytes.push(0);
    bytes
}

/// A compression pointer.
pub fn pointer(to: u16) -> Vec<u8> {
    (0xc000 | to).to_be_bytes().to_vec()
}

/// An entry of the question section.
pub fn entry(name: &[u8], kind: u16, class: u16) -> Vec<u8> {
    [name, &kind.to_be_bytes(), &class.to_be_bytes()].concat()
}

/// A record of the class internet.
pub fn record(owner: &[u8], kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    record_of(INTERNET, owner, kind, ttl, data)
}

pub fn record_of(class: u16, owner: &[u8], kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    [owner, &kind.to_be_bytes(), &class.to_be_bytes(), &ttl.to_be_bytes(), &length.to_be_bytes(), data].concat()
}

/// An OPT record: its class is a size, its TTL holds the upper bits of the response code.
pub fn edns(size: u16, high_code: u8, options: &[u8]) -> Vec<u8> {
    record_of(size, &[0], OPT, u32::from(high_code) << 24, options)
}

/// A message: header and sections. The counts are those of the sections.
#[derive(Clone)]
pub struct Message {
    pub id: u16,
    pub flags: u16,
    pub questions: Vec<Vec<u8>>,
    pub answers: Vec<Vec<u8>>,
    pub authorities: Vec<Vec<u8>>,
    pub additionals: Vec<Vec<u8>>,
}

impl Message {
    pub fn new(flags: u16, question: Vec<u8>) -> Self {
        let none = Vec::new();
        Self {
            id: 0x1234,
            flags,
            questions: vec![question],
            answers: none.clone(),
            authorities: none.clone(),
            additionals: none,
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let sections = [&self.questions, &self.answers, &self.authorities, &self.additionals];
        let mut bytes = [self.id.to_be_bytes(), self.flags.to_be_bytes()].concat();
        bytes.extend(sections.iter().flat_map(|section| u16::try_from(section.len()).unwrap().to_be_bytes()));
        bytes.extend(sections.iter().flat_map(|section| section.concat()));
        bytes
    }

    pub fn answer(mut self, record: Vec<u8>) -> Self {
        self.answers.push(record);
        self
    }

    pub fn authority(mut self, record: Vec<u8>) -> Self {
        self.authorities.push(record);
        self
    }

    pub fn additional(mut self, record: Vec<u8>) -> Self {
        self.additionals.push(record);
        self
    }
}

/// A question for a name's addresses.
pub fn question(family: Family, asked: &str) -> Message {
    Message::new(QUESTION, entry(&name(asked), family.kind(), INTERNET))
}

/// An answer to it without records.
pub fn answer(family: Family, asked: &str) -> Message {
    Message::new(ANSWER, entry(&name(asked), family.kind(), INTERNET))
}

/// An address record of the name in the question.
pub fn address(family: Family, n: u8) -> Vec<u8> {
    record(&pointer(FIRST_NAME), family.kind(), 300, &family.data(n))
}

/// An alias.
pub fn alias(from: &str, to: &str, ttl: u32) -> Vec<u8> {
    record(&name(from), CNAME, ttl, &name(to))
}

/// A name of 255 octets: three labels of 63 and one of 61.
pub fn longest_name() -> Vec<u8> {
    labels_to_name(&[&[b'a'; 63], &[b'b'; 63], &[b'c'; 63], &[b'd'; 61]])
}

/// The same bytes with some of them overwritten.
pub fn patch(mut bytes: Vec<u8>, at: usize, with: &[u8]) -> Vec<u8> {
    bytes.splice(at..at + with.len(), with.iter().copied());
    bytes
}

/// The first bytes only: the rest was not copied.
pub fn cut(mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
    bytes.truncate(length);
    bytes
}
