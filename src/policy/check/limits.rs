use ipnet::IpNet;
use jiff::Timestamp;

use crate::model::Moment;
use crate::policy::code::Code;
use crate::policy::fields::Fields;
use crate::policy::node::Scalar;
use crate::policy::problems::{Fault, shown};
use crate::policy::spec::{Expiry, Gateway};
use crate::policy::value::client;

use super::intercept::{contains, without_overlap};

/// Most clients of a rule; a decision looks at each.
const MOST: usize = 64;

/// Reads `clients`, the narrow ones first. `gateway` has all clients there are, if that is known.
pub fn clients(fields: &Fields<'_, '_>, gateway: Option<&Gateway>) -> Option<Vec<IpNet>> {
    if !fields.has("clients") {
        return Some(Vec::new());
    }
    let clients = fields.one_or_more("clients", MOST, client)?;
    let mut clients = without_overlap(clients, contains, written, fields.problems());
    clients.sort_by_key(|client| (std::cmp::Reverse(client.prefix_len()), *client));
    let is_none_of = |gateway: &Gateway| !clients.iter().any(|client| has_any_of(gateway, client));
    if !clients.is_empty() && gateway.is_some_and(is_none_of) {
        let message = "this rule is for no client: `intercept.gateway.networks` has none of these";
        let fault = Fault::new(Code::NoEffect, message).help("name addresses that clients' packets come from");
        fields.problems().warning(fields.value_span("clients"), fault);
    }
    Some(clients)
}

fn has_any_of(gateway: &Gateway, clients: &IpNet) -> bool {
    let mut networks = gateway.networks.iter();
    gateway.networks.is_empty() || networks.any(|network| network.contains(clients) || clients.contains(network))
}

/// A client or network as a policy has it: the address alone, if it is one.
#[must_use]
pub fn written(client: &IpNet) -> String {
    if client.prefix_len() == client.max_prefix_len() { client.addr().to_string() } else { client.to_string() }
}

/// Reads `expires`.
pub fn expires(scalar: &Scalar<'_>) -> Result<Expiry, Fault> {
    let text = &*scalar.text;
    let at: Timestamp = text.parse().map_err(|_| {
        let fault = Fault::new(Code::BadTime, format!("{} is no time with an offset", shown(text)));
        fault
            .help("write date, time and offset (RFC 3339), as in `2027-01-31T18:00:00Z` or `2027-01-31T18:00:00+01:00`")
    })?;
    Ok(Expiry { at, ends: Moment::ZERO })
}
