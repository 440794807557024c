use std::net::IpAddr;

use crate::dns::Known;
use crate::model::{DomainName, Mark, MarkMask, OtherNames, Reason, RuleId, Verdict};
use crate::policy::{Asker, NameMatch, OnAmbiguous, Policy, Route};

/// What becomes of a SYN, and why.
#[derive(Clone, Debug)]
pub struct Decision<'p> {
    /// What is done.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The route it takes, if it is let through by a rule; the one it would take if it is only not ready.
    pub route: Option<&'p Route>,
    /// The rule that decided, if one did.
    pub rule: Option<&'p RuleId>,
    /// The name that decided, or the one that helps most to see why not.
    pub name: Option<DomainName>,
    /// The other names that could have decided.
    pub also: OtherNames,
}

impl Decision<'_> {
    /// The mark that carries it out; none of ours in audit mode, where the packet goes on as if nobody had looked.
    #[must_use]
    pub fn mark(&self, mask: MarkMask) -> Mark {
        match self.verdict {
            Verdict::Allow => self.route.map_or(mask.deny(), |route| route.mark),
            Verdict::Deny => mask.deny(),
            Verdict::Audit => Mark(0),
        }
    }
}

/// Decides a client's SYN to `port` of an address about which `known` is known. `ready` tells whether a route's listener is up.
///
/// Allocates nothing; costs a look-up a name, whatever the number of rules.
#[must_use]
pub fn decide<'p>(
    policy: &'p Policy,
    known: &Known<'_>,
    client: IpAddr,
    port: u16,
    ready: impl Fn(&Route) -> bool,
) -> Decision<'p> {
    let survey = Survey::of(policy, known, Asker { client, now: known.now() }, port);
    let decision = enforce(policy, known, survey, ready);
    match decision.verdict {
        Verdict::Deny => Decision { verdict: policy.spec().mode.refusal(), ..decision },
        Verdict::Allow | Verdict::Audit => decision,
    }
}

fn enforce<'p>(
    policy: &'p Policy,
    known: &Known<'_>,
    survey: Survey<'p, '_>,
    ready: impl Fn(&Route) -> bool,
) -> Decision<'p> {
    if let Some((rule, name)) = survey.denied.filter(|_| known.is_own() || survey.allowed.is_none()) {
        return deny(Reason::DeniedByRule, Some(name.clone())).by(rule);
    }
    let Some((route, name)) = survey.allowed else {
        return unmatched(&survey, known);
    };
    let mut decision = Decision {
        verdict: Verdict::Allow,
        reason: Reason::Allowed,
        route: Some(route),
        rule: Some(&route.rule.id),
        name: Some(name.clone()),
        also: survey.also,
    };
    if survey.routes_differ && policy.spec().dns.on_ambiguous == OnAmbiguous::Deny {
        (decision.verdict, decision.reason) = (Verdict::Deny, Reason::Ambiguous);
    } else if !ready(route) {
        (decision.verdict, decision.reason) = (Verdict::Deny, Reason::ListenerNotReady);
    }
    decision
}

/// What the rules say of each name that is known for the address.
struct Survey<'p, 'k> {
    /// The first name that a rule allows here.
    allowed: Option<(&'p Route, &'k DomainName)>,
    /// Other names that rules allow here.
    also: OtherNames,
    /// Whether one of those takes another route.
    routes_differ: bool,
    /// The first name that a rule denies here.
    denied: Option<(&'p RuleId, &'k DomainName)>,
    /// The first name that has rules, but for other ports.
    other_port: Option<&'k DomainName>,
    /// The first name that no rule mentions.
    unknown: Option<&'k DomainName>,
}

impl<'p, 'k> Survey<'p, 'k> {
    fn of(policy: &'p Policy, known: &'k Known<'_>, asker: Asker, port: u16) -> Self {
        let mut survey = Self {
            allowed: None,
            also: OtherNames::new(),
            routes_differ: false,
            denied: None,
            other_port: None,
            unknown: None,
        };
        for name in known.live() {
            match policy.lookup_for(Some(asker), name, port) {
                NameMatch::Allow(route) => survey.allow(route, name),
                NameMatch::Deny(rule) => {
                    survey.denied.get_or_insert((&rule.id, name));
                }
                NameMatch::OtherPort => {
                    survey.other_port.get_or_insert(name);
                }
                NameMatch::Unknown => {
                    survey.unknown.get_or_insert(name);
                }
            }
        }
        survey
    }

    fn allow(&mut self, route: &'p Route, name: &'k DomainName) {
        match self.allowed {
            None => self.allowed = Some((route, name)),
            Some((first, first_name)) => {
                self.routes_differ |= first.slot != route.slot;
                if name != first_name && !self.also.contains(name) {
                    // A full list is long enough for whoever reads it.
                    let _ = self.also.try_push(name.clone());
                }
            }
        }
    }
}

/// No rule allows any of the names: the reason that helps most.
fn unmatched<'p>(survey: &Survey<'p, '_>, known: &Known<'_>) -> Decision<'p> {
    let (reason, name) = if let Some(name) = survey.other_port {
        (Reason::PortNotAllowed, Some(name))
    } else if let Some(name) = survey.unknown {
        (Reason::NameNotAllowed, Some(name))
    } else if let Some(name) = known.private() {
        (Reason::PrivateAddress, Some(name))
    } else if let Some(name) = known.expired() {
        (Reason::ObservationExpired, Some(name))
    } else {
        (Reason::NoObservation, None)
    };
    deny(reason, name.cloned())
}

fn deny<'p>(reason: Reason, name: Option<DomainName>) -> Decision<'p> {
    Decision { verdict: Verdict::Deny, reason, route: None, rule: None, name, also: OtherNames::new() }
}

impl<'p> Decision<'p> {
    fn by(self, rule: &'p RuleId) -> Self {
        Self { rule: Some(rule), ..self }
    }
}
