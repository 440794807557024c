use std::net::{IpAddr, SocketAddr};

use crate::dns::Belief;
use crate::model::{DomainName, Mark, Moment, NamePattern, Upstream};
use crate::policy::{Asker, Mode, NameMatch, Policy, Route, Rule};

/// A connection that an earlier policy let through.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// Who connected.
    pub client: SocketAddr,
    /// Where to.
    pub dst: SocketAddr,
    /// Its mark: which rule let it through.
    pub mark: Mark,
    /// Names that are known for it, if its rule is about many.
    pub names: &'a [DomainName],
    /// Whether the client is this host itself.
    pub client_is_here: bool,
    /// Whether its destination is believed by the new policy.
    pub belief: Belief,
}

/// Which way a rule led a connection: while both are the same, its listener stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way<'a> {
    /// The rule's id.
    pub id: &'a str,
    /// The rule's name.
    pub name: &'a str,
    /// Where Envoy connects to.
    pub upstream: Upstream,
}

impl Standing<'_> {
    /// Who connected, as the rules know them. What ends later counts for what stands already.
    fn asker(&self) -> Asker {
        Asker { client: self.client.ip(), now: Moment::ZERO }
    }
}

impl<'a> Way<'a> {
    /// The way of a route.
    #[must_use]
    pub fn of(route: &'a Route) -> Self {
        Self { id: route.rule.id.as_str(), name: route.rule.name.as_str(), upstream: route.rule.upstream }
    }
}

/// Whether a connection may go on by a policy. `way` is how it was led; none if that is not known.
///
/// # Errors
/// Why it may not.
pub fn may_go_on(after: &Policy, way: Option<Way<'_>>, flow: &Standing<'_>) -> Result<(), &'static str> {
    let spec = after.spec();
    if flow.mark == spec.marks.relay() {
        return resolver_is_trusted(&spec.dns.resolvers, flow.dst.ip());
    }
    let way = way.ok_or("the rule that let it through is not known")?;
    let route = after.marked(flow.mark).filter(|route| route.rule.id.as_str() == way.id);
    let route = route.ok_or("its rule is gone")?;
    if !route.rule.ports.contains(&flow.dst.port()) {
        return Err("its rule is not for this port any more");
    }
    if !route.rule.counts_for(Some(flow.asker())) {
        return Err("its rule is not for this client any more");
    }
    if Way::of(route) != way {
        return Err("its rule leads elsewhere now");
    }
    is_not_denied(after, route, flow)?;
    match spec.mode {
        Mode::Audit => Ok(()),
        Mode::Enforce => is_covered_and_believed(after, flow),
    }
}

fn resolver_is_trusted(resolvers: &[IpAddr], resolver: IpAddr) -> Result<(), &'static str> {
    if resolvers.contains(&resolver) { Ok(()) } else { Err("its resolver is not trusted any more") }
}

/// A denial of one name beats the allowance of all below another. Where it is not known which name it is, any denial
/// below may be meant.
fn is_not_denied(after: &Policy, route: &Route, flow: &Standing<'_>) -> Result<(), &'static str> {
    let pattern = &route.rule.name;
    let own = if pattern.is_wild() { None } else { DomainName::parse(pattern.as_str()).ok() };
    let names = || own.iter().chain(flow.names).filter(|name| pattern.matches(name));
    let said_of = |name: &DomainName| after.lookup_for(Some(flow.asker()), name, flow.dst.port());
    let is_denied = |name: &DomainName| matches!(said_of(name), NameMatch::Deny(_));
    if names().any(is_denied) {
        return Err("a rule denies its name");
    }
    if names().next().is_none() && denials_below(after, pattern, flow) {
        return Err("a rule denies some names of its rule, and its own is not known");
    }
    Ok(())
}

fn denials_below(after: &Policy, pattern: &NamePattern, flow: &Standing<'_>) -> bool {
    let is_meant = |rule: &&Rule| rule.ports.contains(&flow.dst.port()) && rule.counts_for(Some(flow.asker()));
    let denials = after.denials().filter(is_meant);
    let below = |name: &NamePattern| {
        let name = name.base().unwrap_or(name.as_str());
        DomainName::parse(name).is_ok_and(|name| pattern.matches(&name))
    };
    { denials }.any(|rule| below(&rule.name))
}

fn is_covered_and_believed(after: &Policy, flow: &Standing<'_>) -> Result<(), &'static str> {
    if !flow.client_is_here && !after.spec().gateway.covers(flow.client.ip()) {
        return Err("its client is not covered any more");
    }
    match flow.belief {
        Belief::Believed => Ok(()),
        Belief::Private => Err("it goes to a private address"),
    }
}
