use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::{DomainName, NamePattern, Proto, Reason};
use crate::policy::{NameMatch, Policy};

use super::evidence::Evidence;
use super::finish::{denies_below, settle, tell_ambiguous};
use super::generalise::Generalise;
use super::harmless::harmless;
use super::left_out::{LeftOut, Place, Why};
use super::rule::{Learned, proto_of};
use super::seen::{Named, Seen};

/// The policy that there is.
#[derive(Clone, Copy, Debug)]
pub struct Base<'p> {
    /// What it says. What it denies is not proposed.
    pub policy: &'p Policy,
    /// Whether its rules stay: then what they allow is not proposed either.
    pub keeps_rules: bool,
    /// Whether it says for all rules where Envoy connects to.
    pub says_upstream: bool,
}

/// The fewest rules that let through what was seen.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Sites together, a name below the one that it belongs to.
    pub rules: Vec<Learned>,
    /// What no rule is proposed for, by cause.
    pub left_out: Vec<LeftOut>,
    /// Decisions about more of that, which are not told apart.
    pub beyond: BTreeMap<Why, u64>,
    /// Decisions that were looked at.
    pub decisions: u64,
    /// Decisions that rules which stay allow already.
    pub known: u64,
    /// Decisions about names that were too many to keep.
    pub not_kept: u64,
    /// Decisions that say nothing about what a rule should be, by reason.
    pub ignored: BTreeMap<Reason, u64>,
    /// Of all decisions.
    pub span: Option<Evidence>,
}

/// What one rule is about, before its ports are put together.
type Ports = BTreeMap<u16, Behind>;

/// What stands behind one port of a rule.
#[derive(Clone, Debug)]
struct Behind {
    evidence: Evidence,
    /// Those that a wildcard was made of.
    names: BTreeSet<DomainName>,
}

impl Proposal {
    /// Of what was seen. In place of `siblings` names or more right below another, a wildcard is proposed; 0: never.
    #[must_use]
    pub fn of(seen: &Seen, base: Option<&Base<'_>>, siblings: usize) -> Self {
        let mut places = seen.places.clone();
        let mut known = 0_u64;
        let mut missing: BTreeMap<u16, Vec<(&DomainName, &Evidence)>> = BTreeMap::new();
        for (name, Named { ports, many_ports, .. }) in seen.in_order() {
            for (&port, evidence) in ports {
                let mut leave_out = |why, port, rule| {
                    let (domain, proto) = (Some(name.clone()), "tcp".to_owned());
                    places.take(Place { why, domain, dst: None, port, proto, rule }, evidence);
                };
                match base.map_or(NameMatch::Unknown, |base| base.policy.lookup(name, port)) {
                    NameMatch::Deny(rule) => {
                        leave_out(Why::Denied, Some(port), Some(harmless(rule.id.as_str())));
                    }
                    NameMatch::Allow(_) if base.is_some_and(|base| base.keeps_rules) => {
                        known = known.saturating_add(evidence.times());
                    }
                    NameMatch::Allow(_) | NameMatch::OtherPort | NameMatch::Unknown if *many_ports => {
                        leave_out(Why::ManyPorts, None, None);
                    }
                    NameMatch::Allow(_) | NameMatch::OtherPort | NameMatch::Unknown => {
                        missing.entry(port).or_default().push((name, evidence));
                    }
                }
            }
        }
        let mut patterns: BTreeMap<NamePattern, Ports> = BTreeMap::new();
        for (port, names) in &missing {
            let is_denied = |pattern: &NamePattern| denies_below(&places, base, pattern, *port);
            let wild = Generalise { siblings }.wildcards(names.iter().map(|(name, _)| *name), is_denied);
            for (name, evidence) in names {
                put(&mut patterns, wild.iter().find(|pattern| pattern.matches(name)), name, *port, evidence);
            }
        }
        let mut rules: Vec<Learned> = patterns.into_iter().flat_map(|(domain, ports)| rules(&domain, ports)).collect();
        rules.sort_by_cached_key(|rule| (order(&rule.domain), Reverse(rule.proto == Proto::Ssh), rule.ports.clone()));
        tell_ambiguous(&mut rules, seen);
        settle(&mut rules, base);
        Self {
            rules,
            left_out: places.each().collect(),
            beyond: places.beyond().clone(),
            decisions: seen.decisions,
            known,
            not_kept: seen.not_kept,
            ignored: seen.ignored.clone(),
            span: seen.span.clone(),
        }
    }

    /// Whether nothing was seen that a rule could be about.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.known == 0
    }
}

fn put(
    patterns: &mut BTreeMap<NamePattern, Ports>,
    wild: Option<&NamePattern>,
    name: &DomainName,
    port: u16,
    evidence: &Evidence,
) {
    let pattern = wild.cloned().unwrap_or_else(|| name.clone().into());
    let names = wild.map(|_| name.clone());
    let behind = patterns.entry(pattern).or_default().entry(port);
    let behind = behind
        .and_modify(|behind| behind.evidence.add(evidence))
        .or_insert_with(|| Behind { evidence: evidence.clone(), names: BTreeSet::new() });
    behind.names.extend(names);
}

/// The rules of one name, or of all below one: one for each proto.
fn rules(domain: &NamePattern, ports: Ports) -> Vec<Learned> {
    let (ssh, tcp): (Ports, Ports) = ports.into_iter().partition(|(port, _)| proto_of(*port) == Proto::Ssh);
    [(Proto::Ssh, ssh), (Proto::Tcp, tcp)].into_iter().filter_map(|(proto, ports)| rule(domain, proto, ports)).collect()
}

fn rule(domain: &NamePattern, proto: Proto, ports: Ports) -> Option<Learned> {
    let times_by_port = ports.iter().map(|(port, behind)| (*port, behind.evidence.times())).collect();
    let numbers = ports.keys().copied().collect();
    let mut behind = ports.into_values();
    let mut all = behind.next()?;
    for more in behind {
        all.evidence.add(&more.evidence);
        all.names.extend(more.names);
    }
    Some(Learned {
        domain: domain.clone(),
        proto,
        ports: numbers,
        id: None,
        upstream_original: false,
        names: all.names.into_iter().collect(),
        ambiguous_with: vec![],
        times_by_port,
        evidence: all.evidence,
    })
}

/// By the labels from the last on, so that what belongs together stands together.
fn order(domain: &NamePattern) -> Vec<String> {
    domain.as_str().rsplit('.').map(str::to_owned).collect()
}
