use serde::Serialize;

use crate::model::{DomainName, Moment, Reason, RuleId, Verdict};
use crate::policy::{Asker, NameMatch, Policy, Queries};
use crate::record::Event;

/// What a policy says of what an event is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Judgement {
    /// What is done.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The rule that decides, if one does.
    pub rule: Option<RuleId>,
}

/// What a policy whose moments count from 1970 says of what an event is about, with the names that were known then and every listener up. None if the
/// event does not say enough: it was about an interface, an address of the host, or damage.
#[must_use]
pub fn judge(policy: &Policy, event: &Event) -> Option<Judgement> {
    let spec = policy.spec();
    match event.reason {
        Reason::Allowed
        | Reason::DeniedByRule
        | Reason::NameNotAllowed
        | Reason::PortNotAllowed
        | Reason::NoObservation
        | Reason::Ambiguous
        | Reason::ListenerNotReady => (event.proto == "tcp").then(|| connection(policy, event)),
        Reason::ResolverNotTrusted if event.dst_port == 53 => {
            let trusted = spec.dns.resolvers.contains(&event.dst);
            Some(if trusted { allowed(Reason::AllowedResolver) } else { refused(policy, Reason::ResolverNotTrusted) })
        }
        Reason::QueryNotAllowed => {
            let goes_on = spec.dns.queries == Queries::Any
                || event.domain.as_ref().is_some_and(|name| policy.allows_for(Some(asker(event)), name));
            Some(if goes_on { allowed(Reason::AllowedResolver) } else { refused(policy, Reason::QueryNotAllowed) })
        }
        Reason::ResolverNotTrusted
        | Reason::AllowedNetwork
        | Reason::AllowedResolver
        | Reason::NotIntercepted
        | Reason::ObservationExpired
        | Reason::PrivateAddress
        | Reason::ClientNotCovered
        | Reason::LocalService
        | Reason::ProtoNotAllowed
        | Reason::EncryptedDns
        | Reason::UnaskedAnswer
        | Reason::Malformed
        | Reason::NotASyn
        | Reason::Overload
        | Reason::PolicyChanged => None,
    }
}

fn connection(policy: &Policy, event: &Event) -> Judgement {
    let port = event.dst_port;
    if policy.ports().binary_search(&port).is_err() {
        return refused(policy, Reason::PortNotAllowed);
    }
    let names: Vec<&DomainName> = event.domain.iter().chain(&event.also).collect();
    let found: Vec<NameMatch<'_>> =
        names.iter().map(|name| policy.lookup_for(Some(asker(event)), name, port)).collect();
    let denial = found.iter().find_map(|found| match found {
        NameMatch::Deny(rule) => Some(&rule.id),
        NameMatch::Allow(_) | NameMatch::OtherPort | NameMatch::Unknown => None,
    });
    if let Some(rule) = denial {
        return Judgement { rule: Some(rule.clone()), ..refused(policy, Reason::DeniedByRule) };
    }
    let allowance = found.iter().find_map(|found| match found {
        NameMatch::Allow(route) => Some(&route.rule.id),
        NameMatch::Deny(_) | NameMatch::OtherPort | NameMatch::Unknown => None,
    });
    if let Some(rule) = allowance {
        return Judgement { rule: Some(rule.clone()), ..allowed(Reason::Allowed) };
    }
    let is_of_another_port = found.contains(&NameMatch::OtherPort);
    refused(
        policy,
        match names.first() {
            None => Reason::NoObservation,
            Some(_) if is_of_another_port => Reason::PortNotAllowed,
            Some(_) => Reason::NameNotAllowed,
        },
    )
}

/// Whoever it was, and when, as the rules know them.
fn asker(event: &Event) -> Asker {
    let since_1970 = u64::try_from(event.ts.as_nanosecond()).unwrap_or_default();
    Asker { client: event.client, now: Moment::from_nanos(since_1970) }
}

fn allowed(reason: Reason) -> Judgement {
    Judgement { verdict: Verdict::Allow, reason, rule: None }
}

fn refused(policy: &Policy, reason: Reason) -> Judgement {
    Judgement { verdict: policy.spec().mode.refusal(), reason, rule: None }
}
