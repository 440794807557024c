use crate::dns::Question;
use crate::model::DomainName;
use crate::policy::{Asker, Policy, Queries};

/// What may be asked about a name that a rule allows: A, NS, CNAME, SOA, PTR, AAAA, SVCB, HTTPS (IANA, DNS parameters).
/// Other types carry whatever the owner of a name likes, in both directions.
const TYPES: [u16; 8] = [1, 2, 5, 6, 12, 28, 64, 65];
const INTERNET: u16 = 1;
/// Firefox leaves DNS over HTTPS off where this name does not exist.
const CANARY: &str = "use-application-dns.net";

/// What becomes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryDecision {
    /// It goes to its resolver.
    Ask,
    /// It does if the client has not asked for too much below wildcards.
    AskWithinBudget,
    /// It is answered REFUSED: no rule allows the name, or the type is none of those that may be asked for.
    Refuse,
    /// It is answered NXDOMAIN.
    NoSuchName,
}

/// Decides a client's question by the policy alone. `name` is the question's, if it is a host name.
#[must_use]
pub fn decide_query(policy: &Policy, question: &Question, name: Option<&DomainName>, asker: Asker) -> QueryDecision {
    let allows = |name: &DomainName| policy.allows_for(Some(asker), name);
    if name.is_some_and(|name| name.as_str() == CANARY && !allows(name)) {
        return QueryDecision::NoSuchName;
    }
    if policy.spec().dns.queries == Queries::Any {
        return QueryDecision::Ask;
    }
    let is_of_use = question.qclass == INTERNET && TYPES.contains(&question.qtype);
    match name.filter(|name| is_of_use && allows(name)) {
        Some(name) if policy.names(name) => QueryDecision::Ask,
        Some(_) => QueryDecision::AskWithinBudget,
        None => QueryDecision::Refuse,
    }
}
