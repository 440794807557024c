use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use hickory_proto::op::MessageType;
use hickory_proto::rr::Name;

use crate::model::DomainName;

use super::DnsError;
use super::hints::hints;
use super::message::{Message, RawRecord};
use super::question::Question;

/// Record types and the internet's class (RFC 1035, 3.2; RFC 3596, 2.1).
const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;
/// Service bindings and their address hints (RFC 9460, 14.1).
const SVCB: u16 = 64;
const HTTPS: u16 = 65;
const INTERNET: u16 = 1;

/// Steps of a CNAME chain that are followed.
const MAX_CHAIN: usize = 16;
/// CNAME records in an answer at most.
const MAX_ALIASES: usize = 64;
/// Addresses of an answer that are taken; a message of 64 KiB has room for about as many.
const MAX_ADDRESSES: usize = 4096;

/// An answer, and what it teaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The question that it says it answers.
    pub question: Question,
    /// What it teaches, if that question was asked.
    pub outcome: Outcome,
}

/// What an answer teaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The question's name is at these addresses.
    Addresses {
        /// The question's name.
        name: DomainName,
        /// At least one, and 4096 at most.
        found: Vec<Found>,
    },
    /// Nothing.
    Nothing(Nothing),
}

/// Why an answer teaches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// The response code is not NOERROR: NXDOMAIN, SERVFAIL, REFUSED and so on; holds all twelve bits of it.
    Failed(u16),
    /// The TC bit is set: the client is to ask again over TCP.
    Cut,
    /// The question is not for addresses (A, AAAA, or HTTPS and SVCB with their hints) of the class internet.
    NotAboutAddresses,
    /// The question's name is not a host name.
    NotAHostName,
    /// No address is reached from the question's name.
    NoAddress,
}

/// An address that an answer leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The address; of the family that was asked for, of either one if it is a hint.
    pub addr: IpAddr,
    /// The shortest TTL on the way from the question's name to it, whole seconds.
    pub ttl: Duration,
}

/// Reads a resolver's answer.
///
/// Addresses count only where the question's name leads, in any order of records, along at most 16 CNAME records of the
/// same answer section. Authority and additional records teach nothing.
///
/// # Errors
/// What keeps the bytes from being one.
pub fn answer(bytes: &[u8]) -> Result<Answer, DnsError> {
    let message = Message::read(bytes)?;
    match message.metadata.message_type {
        MessageType::Query => Err(DnsError::NotAnAnswer),
        MessageType::Response => {
            let outcome = outcome(&message)?;
            Ok(Answer { question: message.question, outcome })
        }
    }
}

fn outcome(message: &Message<'_>) -> Result<Outcome, DnsError> {
    let question = &message.question;
    // Read even if it will not count: what is malformed must not depend on what is asked.
    let found = addresses(message)?;
    let nothing = if message.response_code() != 0 {
        Nothing::Failed(message.response_code())
    } else if message.metadata.truncation {
        Nothing::Cut
    } else if question.qclass != INTERNET || !matches!(question.qtype, A | AAAA | SVCB | HTTPS) {
        Nothing::NotAboutAddresses
    } else if found.is_empty() {
        Nothing::NoAddress
    } else if let Some(name) = question.host() {
        return Ok(Outcome::Addresses { name, found });
    } else {
        Nothing::NotAHostName
    };
    Ok(Outcome::Nothing(nothing))
}

fn addresses(message: &Message<'_>) -> Result<Vec<Found>, DnsError> {
    let reached = follow(message)?;
    let asked = message.question.qtype;
    let mut found = Vec::new();
    for record in internet_records(message).filter(|record| record.kind == asked) {
        let addresses = addresses_in(record)?;
        let Some(&chain_ttl) = reached.get(&message.name_at(record.owner)?) else { continue };
        let ttl = Duration::from_secs(chain_ttl.min(seconds(record)).into());
        let room = MAX_ADDRESSES - found.len();
        found.extend(addresses.into_iter().take(room).map(|addr| Found { addr, ttl }));
    }
    Ok(found)
}

/// Every name that the question's leads to, itself included, with the shortest TTL on the way.
fn follow(message: &Message<'_>) -> Result<HashMap<Name, u32>, DnsError> {
    let aliases = aliases(message)?;
    let mut at = message.name_at(message.question_name)?;
    let mut ttl = u32::MAX;
    let mut reached = HashMap::from([(at.clone(), ttl)]);
    for _ in 0..MAX_CHAIN {
        let Some((_, next, alias_ttl)) = aliases.iter().find(|(owner, _, _)| *owner == at) else { break };
        if reached.contains_key(next) {
            break;
        }
        at = next.clone();
        ttl = ttl.min(*alias_ttl);
        reached.insert(at.clone(), ttl);
    }
    Ok(reached)
}

/// The CNAME records: owner, target, TTL in seconds.
fn aliases(message: &Message<'_>) -> Result<Vec<(Name, Name, u32)>, DnsError> {
    let mut aliases = Vec::new();
    for record in internet_records(message).filter(|record| record.kind == CNAME) {
        if aliases.len() == MAX_ALIASES {
            return Err(DnsError::TooManyAliases);
        }
        aliases.push((message.name_at(record.owner)?, message.name_in_data(record)?, seconds(record)));
    }
    Ok(aliases)
}

fn internet_records<'m>(message: &'m Message<'_>) -> impl Iterator<Item = &'m RawRecord<'m>> {
    message.answers.iter().filter(|record| record.class == INTERNET)
}

/// The addresses in a record; none in one that has no place for them.
fn addresses_in(record: &RawRecord<'_>) -> Result<Vec<IpAddr>, DnsError> {
    let wrong = |_| DnsError::RecordData;
    match record.kind {
        A => <[u8; 4]>::try_from(record.data).map(|octets| vec![Ipv4Addr::from(octets).into()]).map_err(wrong),
        AAAA => <[u8; 16]>::try_from(record.data).map(|octets| vec![Ipv6Addr::from(octets).into()]).map_err(wrong),
        SVCB | HTTPS => hints(record.data),
        _ => Ok(Vec::new()),
    }
}

/// The TTL; one with its highest bit set means zero (RFC 2181, 8).
fn seconds(record: &RawRecord<'_>) -> u32 {
    if record.ttl > i32::MAX.unsigned_abs() { 0 } else { record.ttl }
}
