use std::collections::HashMap;

use crate::model::{DomainName, Epoch, Mark, RuleId, Slot};

use super::slots::SlotTable;
use super::spec::{Action, Rule, Spec};

/// A policy as it is decided by: immutable, every look-up independent of the number of rules.
#[derive(Debug)]
pub struct Policy {
    spec: Spec,
    epoch: Epoch,
    routes: Vec<Route>,
    ports: Vec<u16>,
    names: HashMap<DomainName, Vec<Entry>>,
}

/// What an allow rule's traffic is delivered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The rule.
    pub rule: Rule,
    /// Its number.
    pub slot: Slot,
    /// Its mark.
    pub mark: Mark,
    /// Its listener's port.
    pub listener_port: u16,
    /// Its place among [`Policy::routes`].
    pub index: usize,
}

/// What the rules say of a name on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameMatch<'p> {
    /// A deny rule names it.
    Deny(&'p Rule),
    /// An allow rule names it.
    Allow(&'p Route),
    /// There are rules for it, but for other ports.
    OtherPort,
    /// No rule names it.
    Unknown,
}

/// A rule with no slot, or a slot with no mark or port: the slots were assigned for another policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule {0} has no usable slot: the slots were assigned for another policy")]
pub struct CompileError(RuleId);

/// One port of a name.
#[derive(Debug)]
struct Entry {
    port: u16,
    target: Target,
}

#[derive(Clone, Copy, Debug)]
enum Target {
    /// Index among the routes.
    Allow(usize),
    /// Index among the rules.
    Deny(usize),
}

impl Policy {
    /// Compiles a checked policy.
    ///
    /// # Errors
    /// If the slots were not assigned for it.
    pub fn compile(spec: Spec, slots: &SlotTable, epoch: Epoch) -> Result<Self, CompileError> {
        let mut routes = Vec::new();
        let mut names: HashMap<DomainName, Vec<Entry>> = HashMap::new();
        for (rule_index, rule) in spec.rules.iter().enumerate() {
            let target = match rule.action {
                Action::Deny => Target::Deny(rule_index),
                Action::Allow => {
                    let route =
                        Route::new(rule, &spec, slots, routes.len()).ok_or_else(|| CompileError(rule.id.clone()))?;
                    routes.push(route);
                    Target::Allow(routes.len() - 1)
                }
            };
            let entries = names.entry(rule.name.clone()).or_default();
            entries.extend(rule.ports.iter().map(|&port| Entry { port, target }));
        }
        for entries in names.values_mut() {
            // Deny before allow on the same port: it is found first.
            entries.sort_by_key(|entry| (entry.port, matches!(entry.target, Target::Allow(_))));
        }
        let mut ports: Vec<u16> = spec.rules.iter().flat_map(|rule| rule.ports.iter().copied()).collect();
        ports.sort_unstable();
        ports.dedup();
        Ok(Self { spec, epoch, routes, ports, names })
    }

    /// What was compiled.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Which policy this is.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The routes of all allow rules, in the order of the file.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Every port of every rule, in order, each once: SYNs to these are queued.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// What the rules say of a name on a port.
    #[must_use]
    pub fn lookup(&self, name: &DomainName, port: u16) -> NameMatch<'_> {
        let Some(entries) = self.names.get(name) else {
            return NameMatch::Unknown;
        };
        let first = entries.partition_point(|entry| entry.port < port);
        let target = entries.get(first).filter(|entry| entry.port == port).map(|entry| entry.target);
        let found = target.and_then(|target| match target {
            Target::Allow(index) => self.routes.get(index).map(NameMatch::Allow),
            Target::Deny(index) => self.spec.rules.get(index).map(NameMatch::Deny),
        });
        found.unwrap_or(NameMatch::OtherPort)
    }

    /// Whether any rule allows it, on whatever port.
    #[must_use]
    pub fn allows(&self, name: &DomainName) -> bool {
        let entries = self.names.get(name).map_or(&[][..], Vec::as_slice);
        entries.iter().any(|entry| matches!(entry.target, Target::Allow(_)))
    }

    /// Whether any rule names it.
    #[must_use]
    pub fn mentions(&self, name: &DomainName) -> bool {
        self.names.contains_key(name)
    }
}

impl Route {
    fn new(rule: &Rule, spec: &Spec, slots: &SlotTable, index: usize) -> Option<Self> {
        let slot = slots.get(&rule.id)?;
        Some(Self {
            rule: rule.clone(),
            slot,
            mark: spec.marks.listener(slot)?,
            listener_port: spec.envoy.first_port.checked_add(slot.0)?,
            index,
        })
    }
}
