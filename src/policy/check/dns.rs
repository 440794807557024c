use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::model::Scope;
use crate::policy::code::Code;
use crate::policy::duration::written;
use crate::policy::fields::Fields;
use crate::policy::keys;
use crate::policy::node::Scalar;
use crate::policy::problems::{Fault, Problems, shown};
use crate::policy::source::Located;
use crate::policy::spec::{Dns, OnAmbiguous, Queries};
use crate::policy::value::{boolean, duration, number, resolver, word};

const MIN_TTL: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(30);
const MAX_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// No TTL counts for longer than seven days (RFC 8767, section 4).
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// A grace is for answers on their way and clocks of clients, not for stale names.
const LONGEST_GRACE: Duration = Duration::from_secs(60 * 60);
const CAPACITY: usize = 1_000_000;
const LEAST_CAPACITY: u64 = 1_000;
const MOST_CAPACITY: u64 = 10_000_000;
const MOST_RESOLVERS: usize = 16;

const QUERIES: &[(&str, Queries)] = &[("any", Queries::Any), ("policy", Queries::Policy)];
const SCOPES: &[(&str, Scope)] = &[("shared", Scope::Shared), ("client", Scope::Client)];
const ON_AMBIGUOUS: &[(&str, OnAmbiguous)] = &[("latest", OnAmbiguous::Latest), ("deny", OnAmbiguous::Deny)];

/// Reads `dns`. Where this `host` itself is covered, its resolver may be on a loopback address.
pub fn check(policy: &Fields<'_, '_>, host: bool) -> Option<Dns> {
    policy.require("dns", "say whose answers are believed: `dns: { resolvers: [10.77.2.53] }`");
    let dns = policy.section(&keys::DNS, "dns")?;
    dns.require("resolvers", "name the resolvers whose answers are believed: `resolvers: [10.77.2.53]`");
    let resolvers = dns.list("resolvers", MOST_RESOLVERS, resolver);
    let queries = dns.or("queries", Queries::Any, word(QUERIES));
    let min_ttl = dns.or("min_ttl", MIN_TTL, duration(Duration::ZERO..=LONGEST));
    let grace = dns.or("grace", GRACE, duration(Duration::ZERO..=LONGEST_GRACE));
    let max_ttl = dns.or("max_ttl", MAX_TTL, duration(Duration::from_secs(1)..=LONGEST));
    let capacity = dns.or("capacity", CAPACITY, capacity);
    let scope = dns.or("scope", Scope::Shared, word(SCOPES));
    let on_ambiguous = dns.or("on_ambiguous", OnAmbiguous::Latest, word(ON_AMBIGUOUS));
    let allow_private = dns.or("allow_private", false, boolean);
    if let (Some(min), Some(max)) = (min_ttl, max_ttl) {
        check_order(min, max, &dns);
    }
    Some(Dns {
        resolvers: each_once(resolvers?, host, policy.problems()),
        queries: queries?,
        min_ttl: min_ttl?,
        grace: grace?,
        max_ttl: max_ttl?,
        capacity: capacity?,
        scope: scope?,
        on_ambiguous: on_ambiguous?,
        allow_private: allow_private?,
    })
}

fn capacity(scalar: &Scalar<'_>) -> Result<usize, Fault> {
    let found = number(LEAST_CAPACITY..=MOST_CAPACITY, "capacity")(scalar)?;
    Ok(usize::try_from(found).unwrap_or(CAPACITY))
}

fn check_order(min: Duration, max: Duration, dns: &Fields<'_, '_>) {
    if min <= max {
        return;
    }
    let (key, other) = if dns.has("min_ttl") { ("min_ttl", "max_ttl") } else { ("max_ttl", "min_ttl") };
    let message = format!("`min_ttl` ({}) is longer than `max_ttl` ({})", written(min), written(max));
    let fault = Fault::new(Code::OutOfRange, message).help("make `max_ttl` as long or longer");
    let fault = if dns.has(other) { fault.related(dns.value_span(other), "the other one") } else { fault };
    dns.problems().error(dns.value_span(key), fault);
}

/// Tells resolvers that stand twice, and those that no client can ask.
fn each_once(resolvers: Vec<Located<IpAddr>>, host: bool, problems: &Problems<'_>) -> Vec<IpAddr> {
    let mut seen = HashMap::new();
    for Located { value, span } in &resolvers {
        if let Some(first) = seen.insert(*value, *span) {
            let fault =
                Fault::new(Code::DuplicateEntry, format!("{value} is in the list twice")).help("take one of them out");
            problems.error(*span, fault.related(first, "it stands here first"));
        } else if value.is_loopback() && !host {
            let message = format!("clients behind a gateway cannot ask {}", shown(&value.to_string()));
            let fault = Fault::new(Code::UnreachableResolver, message);
            problems.warning(*span, fault.help("write the address to which clients send their questions"));
        }
    }
    resolvers.into_iter().map(|resolver| resolver.value).collect()
}
