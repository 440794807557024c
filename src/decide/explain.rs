use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dns::{Known, State};
use crate::model::{DomainName, Moment, Reason, RuleId, Upstream, Verdict, Who};
use crate::policy::{Asker, Policy, Route, Rule, written_duration};

use super::{Decision, decide};

/// A connection to explain, and what is known about it.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Who connects.
    pub client: IpAddr,
    /// Whether that is this host itself.
    pub client_is_here: bool,
    /// Where to.
    pub dst: IpAddr,
    /// Destination port.
    pub port: u16,
    /// Whether the destination is one of this host's own addresses.
    pub dst_is_here: bool,
    /// All that is known about the destination, expired observations included.
    pub names: Vec<KnownName>,
}

/// One observation, in figures that need no clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownName {
    /// The name.
    pub name: DomainName,
    /// Who asked for it.
    pub asked_by: IpAddr,
    /// Seconds since the answer.
    pub age_s: u64,
    /// Seconds that it still counts; 0 if it is expired.
    pub left_s: u64,
    /// What it is good for.
    pub state: State,
    /// How many connections of that client keep it alive.
    #[serde(default)]
    pub flows: u32,
}

/// Why a connection would be let through or refused, step by step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Explanation {
    /// What would be done.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The reason in a sentence.
    pub meaning: String,
    /// The rule that decides.
    pub rule: Option<RuleId>,
    /// The name that decides.
    pub domain: Option<DomainName>,
    /// The mark in hexadecimal, if it would be let through.
    pub mark: Option<String>,
    /// The listener's port, if it would be let through.
    pub listener_port: Option<u16>,
    /// Where Envoy would connect to, if it would be let through.
    pub upstream: Option<Upstream>,
    /// The decision, one step after the other.
    pub steps: Vec<Step>,
    /// What is known about the address.
    pub names: Vec<KnownName>,
    /// What to do, if it would be refused.
    pub advice: Option<String>,
    /// Who of this host has such a connection now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connected: Vec<Connected>,
}

/// A connection that there is, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// Its source port.
    pub client_port: u16,
    /// Who began it.
    #[serde(flatten)]
    pub who: Who,
}

/// A step of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What was looked at.
    pub what: String,
    /// What was found.
    pub found: String,
}

/// Explains what [`decide`] and the kernel's rules in front of it would do.
#[must_use]
pub fn explain(policy: &Policy, scene: Scene, known: &Known<'_>, ready: impl Fn(&Route) -> bool) -> Explanation {
    let mut steps = Vec::new();
    let early = before_the_queue(policy, &scene, &mut steps);
    if let Some(reason @ (Reason::AllowedResolver | Reason::NotIntercepted)) = early {
        return finish(policy, scene, steps, &Decision::without_a_rule(Verdict::Allow, reason));
    }
    if let Some(reason) = early {
        let decision = Decision { name: name_to_tell(reason, known), ..Decision::refused(reason, policy) };
        return finish(policy, scene, steps, &decision);
    }
    steps.push(step("names", &names_in_words(&scene, known)));
    let decision = decide(policy, known, scene.client, scene.port, &ready);
    let asker = Asker { client: scene.client, now: known.now() };
    for name in known.live() {
        steps.push(step("rules", &rules_in_words(policy, asker, name, scene.port)));
    }
    if let Some(route) = decision.route {
        let state = if ready(route) { "is up" } else { "is not up" };
        steps.push(step("listener", &format!("port {} for {} {state}", route.listener_port, route.rule.id)));
    }
    finish(policy, scene, steps, &decision)
}

/// Why decider does not look at such a connection, if that is so.
fn not_intercepted(policy: &Policy, scene: &Scene) -> Option<&'static str> {
    let spec = policy.spec();
    match (scene.client_is_here, scene.dst_is_here) {
        (true, _) if !spec.host => Some("is this host itself, which intercept.host does not cover"),
        (true, true) if scene.port != 53 => Some("is this host itself, and so is the destination"),
        (false, _) if spec.gateway.interfaces.is_empty() => Some("is not this host itself, and there is no gateway"),
        (true | false, _) => None,
    }
}

fn step(what: &str, found: &str) -> Step {
    Step { what: what.to_owned(), found: found.to_owned() }
}

/// What the kernel's rules make of a SYN before it gets to the queue.
fn before_the_queue(policy: &Policy, scene: &Scene, steps: &mut Vec<Step>) -> Option<Reason> {
    if let Some(why) = not_intercepted(policy, scene) {
        steps.push(step("client", &format!("{} {why}", scene.client)));
        return Some(Reason::NotIntercepted);
    }
    if !scene.client_is_here && !policy.spec().gateway.covers(scene.client) {
        steps.push(step("client", &format!("{} is in none of intercept.gateway.networks", scene.client)));
        return Some(Reason::ClientNotCovered);
    }
    steps.push(step("client", &format!("{} is covered", scene.client)));
    if scene.port == 53 {
        steps.push(step("port", "53 is DNS: it goes to dns.resolvers, over TCP by way of decider's own relay"));
        let trusted = policy.spec().dns.resolvers.contains(&scene.dst);
        return Some(if trusted { Reason::AllowedResolver } else { Reason::ResolverNotTrusted });
    }
    if scene.dst_is_here {
        steps.push(step("destination", &format!("{} is this host itself", scene.dst)));
        return Some(Reason::LocalService);
    }
    let is_in_a_rule = policy.ports().binary_search(&scene.port).is_ok();
    let other_dns = match scene.port {
        853 => Some(("DNS over TLS, which cannot be read", Reason::EncryptedDns)),
        5355 => Some(("LLMNR, which asks everybody", Reason::ResolverNotTrusted)),
        _ => None,
    };
    if let Some((what, reason)) = other_dns.filter(|_| !is_in_a_rule) {
        steps.push(step("port", &format!("{} is {what}", scene.port)));
        return Some(reason);
    }
    if !is_in_a_rule {
        steps.push(step("port", &format!("{} is in no rule: {}", scene.port, ports_in_words(policy))));
        return Some(Reason::PortNotAllowed);
    }
    steps.push(step("port", &format!("{} is in a rule, so the name behind {} decides", scene.port, scene.dst)));
    None
}

/// The name behind a destination that the kernel refused without asking for it, where advice can use it.
fn name_to_tell(reason: Reason, known: &Known<'_>) -> Option<DomainName> {
    if reason == Reason::PortNotAllowed { known.live().next().cloned() } else { None }
}

fn ports_in_words(policy: &Policy) -> String {
    match policy.ports() {
        [] => "there are no rules".to_owned(),
        ports => {
            let shown: Vec<String> = ports.iter().take(12).map(u16::to_string).collect();
            let more = if ports.len() > shown.len() { ", ..." } else { "" };
            format!("the rules have {}{more}", shown.join(", "))
        }
    }
}

fn names_in_words(scene: &Scene, known: &Known<'_>) -> String {
    let live: Vec<&str> = known.live().map(DomainName::as_str).collect();
    if live.is_empty() {
        return match (known.private(), known.expired()) {
            (Some(name), _) => format!("{name} was looked up, but {} is a private address", scene.dst),
            (None, Some(name)) => format!("{name} was looked up, but that is too long ago"),
            (None, None) => format!("no lookup that was answered with {} has been seen", scene.dst),
        };
    }
    let whose = if known.is_own() { "this client asked for" } else { "other clients asked for" };
    format!("{whose} {}", live.join(", then "))
}

fn rules_in_words(policy: &Policy, asker: Asker, name: &DomainName, port: u16) -> String {
    use crate::policy::NameMatch;
    match policy.lookup_for(Some(asker), name, port) {
        NameMatch::Allow(route) => {
            format!("{name} is allowed on port {port} by {}", rule_in_words(&route.rule, asker.now))
        }
        NameMatch::Deny(rule) => format!("{name} is denied on port {port} by {}", rule_in_words(rule, asker.now)),
        NameMatch::OtherPort => {
            let counts = |rule: &&Rule| rule.name.matches(name) && rule.counts_for(Some(asker));
            let rules = policy.spec().rules.iter().filter(counts);
            let ports: BTreeSet<u16> = rules.flat_map(|rule| &rule.ports).copied().collect();
            let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
            format!("{name} has rules, but for port {} and not for {port}", ports.join(", "))
        }
        NameMatch::Unknown => match for_others(policy, asker, name, port) {
            Some(rule) => format!("{name} is in no rule for {}: {rule} is for other clients", asker.client),
            None => format!("{name} is in no rule"),
        },
    }
}

/// A rule that would be the one if it were not for other clients.
fn for_others<'p>(policy: &'p Policy, asker: Asker, name: &DomainName, port: u16) -> Option<&'p RuleId> {
    let would_do = |rule: &&Rule| {
        let ends = rule.ends().is_some_and(|ends| ends <= asker.now);
        !ends && !rule.counts_for(Some(asker)) && rule.name.matches(name) && rule.ports.contains(&port)
    };
    policy.spec().rules.iter().find(would_do).map(|rule| &rule.id)
}

/// A rule's id, the names that it is about where a given id hides that they are many, and what is left of one that ends.
fn rule_in_words(rule: &Rule, now: Moment) -> String {
    let names = rule.name.is_wild() && !rule.id.as_str().starts_with(rule.name.as_str());
    let names = if names { format!(" ({})", rule.name) } else { String::new() };
    let left = rule.ends().map(|ends| written_duration(Duration::from_secs(ends.since(now).as_secs())));
    let left = match (left, rule.term) {
        (Some(left), Some(_)) => format!(" (temporary, {left} left)"),
        (Some(left), None) => format!(" (ends in {left})"),
        (None, _) => String::new(),
    };
    format!("{}{names}{left}", rule.id)
}

fn finish(policy: &Policy, scene: Scene, steps: Vec<Step>, decision: &Decision<'_>) -> Explanation {
    let spec = policy.spec();
    let led_to = match (decision.verdict, decision.reason) {
        (Verdict::Allow, Reason::AllowedResolver) => Some((spec.marks.relay(), spec.envoy.relay_port())),
        (Verdict::Allow, _) => decision.route.map(|route| (route.mark, route.listener_port)),
        (Verdict::Deny | Verdict::Audit, _) => None,
    };
    Explanation {
        verdict: decision.verdict,
        reason: decision.reason,
        meaning: decision.reason.meaning().to_owned(),
        rule: decision.rule.cloned(),
        domain: decision.name.clone(),
        mark: led_to.map(|(mark, _)| mark.to_string()),
        listener_port: led_to.map(|(_, port)| port),
        upstream: decision.route.filter(|_| decision.verdict == Verdict::Allow).map(|route| route.rule.upstream),
        advice: advice(policy, &scene, decision),
        steps,
        names: scene.names,
        connected: vec![],
    }
}

fn advice(policy: &Policy, scene: &Scene, decision: &Decision<'_>) -> Option<String> {
    let name = decision.name.as_ref().map_or("NAME", DomainName::as_str);
    let rule = match scene.port {
        22 => format!("{{ domain: {name}, proto: ssh }}"),
        port => format!("{{ domain: {name}, proto: tcp, port: {port} }}"),
    };
    let resolvers: Vec<String> = policy.spec().dns.resolvers.iter().map(IpAddr::to_string).collect();
    let resolvers = resolvers.join(", ");
    Some(match decision.reason {
        Reason::Allowed
        | Reason::AllowedResolver
        | Reason::AllowedNetwork
        | Reason::NotIntercepted
        | Reason::UnaskedAnswer
        | Reason::Malformed
        | Reason::NotASyn
        | Reason::Overload
        | Reason::PolicyChanged => return None,
        Reason::NameNotAllowed | Reason::PortNotAllowed => format!("to allow it, add the rule {rule}"),
        Reason::NoObservation => format!(
            "connect by name, not by address, and let the client ask {resolvers}: a name from another resolver, from a \
             hosts file or from a cache filled before decider started is not seen"
        ),
        Reason::ObservationExpired => {
            format!(
                "let the client look the name up again; dns.grace says how long after its TTL a name counts ({name})"
            )
        }
        Reason::DeniedByRule => "a deny rule beats every allow rule: remove it if this is meant to pass".to_owned(),
        Reason::PrivateAddress => {
            format!("if {name} is meant to be at a private address, set dns.allow_private: true")
        }
        Reason::Ambiguous => "set dns.on_ambiguous: latest to follow the name that was asked for last".to_owned(),
        Reason::ListenerNotReady => "look at `decider status`: Envoy or this listener is not up".to_owned(),
        Reason::ClientNotCovered => "add the client's network to intercept.gateway.networks".to_owned(),
        Reason::LocalService => "covered clients reach no service of the gateway itself".to_owned(),
        Reason::ResolverNotTrusted => format!("let the client ask {resolvers}, or add its resolver to dns.resolvers"),
        Reason::EncryptedDns => format!("let the client ask {resolvers} over UDP or TCP, port 53"),
        Reason::QueryNotAllowed => format!("add a rule for {name}, or set dns.queries: any"),
        Reason::ProtoNotAllowed => "only what the policy names may pass".to_owned(),
    })
}

impl<'p> Decision<'p> {
    /// What no rule of the policy's decides.
    fn without_a_rule(verdict: Verdict, reason: Reason) -> Self {
        Self { verdict, reason, route: None, rule: None, name: None, also: crate::model::OtherNames::new() }
    }

    /// A refusal by the kernel's rules, in the policy's mode.
    fn refused(reason: Reason, policy: &'p Policy) -> Self {
        Self::without_a_rule(policy.spec().mode.refusal(), reason)
    }
}
