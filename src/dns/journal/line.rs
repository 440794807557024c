use std::net::IpAddr;
use std::str::SplitAsciiWhitespace;
use std::time::Duration;

use crate::model::{ClientId, DomainName, Moment};

use super::super::record::{Belief, Record};

/// Bytes of a line at most, without its end: the longest name (253), two IPv6 addresses, three numbers and a checksum
/// take less than 430.
pub const MAX_LINE: usize = 512;

/// A line for an observation, without its end.
#[must_use]
pub fn encode(record: &Record) -> String {
    let Record { addr, client: ClientId(client), name, learned, expires, ttl, belief: _, flows: _ } = record;
    seal(&format!("{addr} {client} {name} {} {} {}", learned.nanos(), expires.nanos(), ttl.as_secs()))
}

/// The observation that a line without its checksum holds, in the clock of the boot that wrote it. It is not believed:
/// what was right for the run that wrote it need not be now.
pub(super) fn decode(body: &str) -> Option<Record> {
    let mut fields = body.split_ascii_whitespace();
    let record = Record {
        addr: next::<IpAddr>(&mut fields)?,
        client: ClientId(next(&mut fields)?),
        name: DomainName::parse(fields.next()?).ok()?,
        learned: Moment::from_nanos(next(&mut fields)?),
        expires: Moment::from_nanos(next(&mut fields)?),
        ttl: Duration::from_secs(next::<u32>(&mut fields)?.into()),
        belief: Belief::Private,
        flows: 0,
    };
    fields.next().is_none().then_some(record)
}

/// A line's text with its checksum in front.
pub(super) fn seal(body: &str) -> String {
    format!("{:08x} {body}", crc32fast::hash(body.as_bytes()))
}

/// A line's text, if its checksum is right.
pub(super) fn open(line: &[u8]) -> Option<&str> {
    let line = str::from_utf8(line).ok().filter(|line| line.len() <= MAX_LINE)?;
    let (checksum, body) = line.split_at_checked(8)?;
    let body = body.strip_prefix(' ')?;
    let digits = checksum.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let checksum = u32::from_str_radix(checksum, 16).ok().filter(|_| digits)?;
    (checksum == crc32fast::hash(body.as_bytes())).then_some(body)
}

pub(super) fn next<T: std::str::FromStr>(fields: &mut SplitAsciiWhitespace<'_>) -> Option<T> {
    fields.next()?.parse().ok()
}
