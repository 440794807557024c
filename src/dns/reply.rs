use hickory_proto::op::{Edns, Message as Outgoing, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::opt::EdnsOption;
use hickory_proto::rr::{DNSClass, RecordType};

use super::message::Message;

/// Octets of an answer over UDP that everybody takes (RFC 9715, 3).
const MAX_PAYLOAD: u16 = 1232;
/// The option with an extended error, and the error "Blocked" (RFC 8914, 2 and 4.16).
const EXTENDED_ERROR: u16 = 15;
const BLOCKED: u16 = 15;

/// What decider answers by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// REFUSED: no rule allows to ask for this.
    QueryNotAllowed,
    /// REFUSED: the client asks for more names than it may.
    TooManyQueries,
    /// REFUSED: the true answer has an address that is not believed.
    PrivateAddress,
    /// NXDOMAIN: the name is not to exist here.
    NoSuchName,
}

impl Reply {
    /// The answer to a client's question; `message` is that question, or the true answer to it. Its id, name (to the
    /// letter), type, class and the RD and CD bits are repeated. Where `message` has an OPT record the answer has one,
    /// with extended error 15 (Blocked) and a reason for people. None if `message` is no DNS message.
    #[must_use]
    pub fn to(self, message: &[u8]) -> Option<Vec<u8>> {
        let asked = Message::read(message).ok()?;
        let name = asked.name_at(asked.question_name).ok()?;
        let mut reply = Outgoing::new(asked.question.id, MessageType::Response, OpCode::Query);
        reply.metadata.response_code = self.code();
        reply.metadata.recursion_desired = asked.metadata.recursion_desired;
        reply.metadata.checking_disabled = asked.metadata.checking_disabled;
        reply.metadata.recursion_available = true;
        let mut query = Query::query(name, RecordType::from(asked.question.qtype));
        query.set_query_class(DNSClass::from(asked.question.qclass));
        reply.add_query(query);
        if let Some(edns) = asked.edns {
            reply.set_edns(self.edns(edns.dnssec_ok));
        }
        reply.to_vec().ok()
    }

    const fn code(self) -> ResponseCode {
        match self {
            Self::QueryNotAllowed | Self::TooManyQueries | Self::PrivateAddress => ResponseCode::Refused,
            Self::NoSuchName => ResponseCode::NXDomain,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::QueryNotAllowed => "no rule of the firewall allows this question",
            Self::TooManyQueries => "too many questions below a wildcard of the firewall's rules",
            Self::PrivateAddress => "the name resolves to a private address, which the firewall does not believe",
            Self::NoSuchName => "the network's own resolvers are to be used",
        }
    }

    fn edns(self, dnssec_ok: bool) -> Edns {
        let mut edns = Edns::new();
        edns.set_max_payload(MAX_PAYLOAD).set_dnssec_ok(dnssec_ok);
        let error = [&BLOCKED.to_be_bytes()[..], self.text().as_bytes()].concat();
        edns.options_mut().insert(EdnsOption::Unknown(EXTENDED_ERROR, error));
        edns
    }
}
