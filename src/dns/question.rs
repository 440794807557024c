use hickory_proto::op::MessageType;

use crate::model::DomainName;

use super::DnsError;
use super::message::Message;
use super::wire_name::WireName;

/// What a client asked, or what an answer says it asked: equal only if the same to the octet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// The number that the answer must repeat.
    pub id: u16,
    /// The name asked for.
    pub name: WireName,
    /// The record type asked for (IANA, DNS parameters).
    pub qtype: u16,
    /// Its class; 1 is the internet's.
    pub qclass: u16,
}

impl Question {
    /// The name, if it is a host name. Others are let through and never learned.
    #[must_use]
    pub fn host(&self) -> Option<DomainName> {
        self.name.host()
    }
}

/// Reads a client's question: one standard query with nothing beside it but additional records (EDNS, TSIG).
///
/// # Errors
/// What keeps the bytes from being one.
pub fn question(bytes: &[u8]) -> Result<Question, DnsError> {
    let message = Message::read(bytes)?;
    match message.metadata.message_type {
        MessageType::Response => Err(DnsError::NotAQuestion),
        MessageType::Query if !message.answers.is_empty() || message.authorities > 0 => {
            Err(DnsError::RecordsInQuestion)
        }
        MessageType::Query => Ok(message.question),
    }
}
