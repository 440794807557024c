use std::net::IpAddr;

use super::Family;

/// A question: name and type of record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub name: String,
    pub record_type: u16,
}

impl Question {
    pub fn new(name: &str, family: Family) -> Self {
        Self { name: name.to_owned(), record_type: family.record_type() }
    }
}

/// A message as the tests need it, also one that no honest program would send. Written by hand (RFC 1035, 4): a codec
/// would refuse half of what is to be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: u16,
    pub flags: u16,
    pub question: Question,
    /// Owner of the records, if it is not the question's name.
    pub owner: Option<String>,
    pub addresses: Vec<IpAddr>,
    pub ttl: u32,
}

/// Recursion desired.
const QUERY: u16 = 0x0100;
/// Response, recursion desired and available.
const RESPONSE: u16 = 0x8180;
/// Where the question stands in a message.
const HEADER: usize = 12;

impl Message {
    pub fn query(id: u16, question: Question) -> Self {
        Self { id, flags: QUERY, question, owner: None, addresses: vec![], ttl: 0 }
    }

    pub fn answer(id: u16, question: Question, addresses: &[IpAddr], ttl: u32) -> Self {
        Self { id, flags: RESPONSE, question, owner: None, addresses: addresses.to_vec(), ttl }
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let answers = u16::try_from(self.addresses.len()).unwrap();
        for number in [self.id, self.flags, 1, answers, 0, 0] {
            bytes.extend(number.to_be_bytes());
        }
        put_name(&mut bytes, &self.question.name);
        bytes.extend(self.question.record_type.to_be_bytes());
        bytes.extend(1u16.to_be_bytes());
        for address in &self.addresses {
            put_name(&mut bytes, self.owner.as_ref().unwrap_or(&self.question.name));
            bytes.extend(Family::of(*address).record_type().to_be_bytes());
            bytes.extend(1u16.to_be_bytes());
            bytes.extend(self.ttl.to_be_bytes());
            let octets = match address {
                IpAddr::V4(address) => address.octets().to_vec(),
                IpAddr::V6(address) => address.octets().to_vec(),
            };
            bytes.extend(u16::try_from(octets.len()).unwrap().to_be_bytes());
            bytes.extend(octets);
        }
        bytes
    }

    /// Reads a query, or an answer of [`encode`](Self::encode) or of a real resolver, as far as the tests look at one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
        let (name, mut at) = read_name(bytes, HEADER)?;
        let question = Question { name, record_type: number(at)? };
        at += 4;
        let mut addresses = Vec::new();
        let mut ttl = 0;
        for _ in 0..number(6)? {
            at = skip_name(bytes, at)?;
            let (kind, length) = (number(at)?, usize::from(number(at + 8)?));
            ttl = u32::from(number(at + 4)?) << 16 | u32::from(number(at + 6)?);
            let data = bytes.get(at + 10..at + 10 + length)?;
            addresses.extend(address(kind, data));
            at += 10 + length;
        }
        Some(Self { id: number(0)?, flags: number(2)?, question, owner: None, addresses, ttl })
    }
}

fn address(kind: u16, data: &[u8]) -> Option<IpAddr> {
    match kind {
        1 => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
        28 => <[u8; 16]>::try_from(data).ok().map(IpAddr::from),
        _ => None,
    }
}

fn put_name(bytes: &mut Vec<u8>, name: &str) {
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
}

/// An uncompressed name, as questions have it, and where it ends.
fn read_name(bytes: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        labels.push(String::from_utf8_lossy(bytes.get(at..at + length)?).into_owned());
        at += length;
    }
}

fn skip_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match usize::from(*bytes.get(at)?) {
            0 => return Some(at + 1),
            length if length < 64 => at += 1 + length,
            _ => return Some(at + 2),
        }
    }
}
