use std::collections::HashMap;
use std::net::IpAddr;

use crate::model::{DomainName, Epoch, Mark, Moment, RuleId, Slot};

use super::name_table::{Found, NameTable, Target};
use super::slots::SlotTable;
use super::spec::{Action, Asker, Rule, Spec};

/// A policy as it is decided by: immutable, every look-up independent of the number of rules.
#[derive(Debug)]
pub struct Policy {
    spec: Spec,
    epoch: Epoch,
    routes: Vec<Route>,
    /// Indices among the routes.
    by_mark: HashMap<Mark, usize>,
    ports: Vec<u16>,
    names: NameTable,
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
    /// A deny rule is about it.
    Deny(&'p Rule),
    /// An allow rule is about it.
    Allow(&'p Route),
    /// There are rules for it, but for other ports.
    OtherPort,
    /// No rule is about it.
    Unknown,
}

/// A rule with no slot, or a slot with no mark or port: the slots were assigned for another policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule {0} has no usable slot: the slots were assigned for another policy")]
pub struct CompileError(RuleId);

impl Policy {
    /// Compiles a checked policy.
    ///
    /// # Errors
    /// If the slots were not assigned for it.
    pub fn compile(spec: Spec, slots: &SlotTable, epoch: Epoch) -> Result<Self, CompileError> {
        let mut routes = Vec::new();
        let mut targets = Vec::new();
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
            targets.push(target);
        }
        let by_mark = routes.iter().map(|route| (route.mark, route.index)).collect();
        let names = NameTable::new(spec.rules.iter().zip(targets));
        let mut ports: Vec<u16> = spec.rules.iter().flat_map(|rule| rule.ports.iter().copied()).collect();
        ports.sort_unstable();
        ports.dedup();
        Ok(Self { spec, epoch, routes, by_mark, ports, names })
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

    /// The route that has a mark.
    #[must_use]
    pub fn marked(&self, mark: Mark) -> Option<&Route> {
        self.routes.get(*self.by_mark.get(&mark)?)
    }

    /// The deny rules, in the order of the file.
    pub fn denials(&self) -> impl Iterator<Item = &Rule> {
        self.spec.rules.iter().filter(|rule| rule.action == Action::Deny)
    }

    /// Every port of every rule, in order, each once: SYNs to these are queued.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Whether a client's connection to a name on a port went by this route. A temporary rule that ends now led it, too.
    #[must_use]
    pub fn leads(&self, client: IpAddr, name: &DomainName, port: u16, route: &Route) -> bool {
        let asker = Asker { client, now: Moment::ZERO };
        matches!(self.lookup_for(Some(asker), name, port), NameMatch::Allow(to) if to.slot == route.slot)
    }

    /// What the rules say of a name on a port to everybody: without the temporary ones.
    #[must_use]
    pub fn lookup(&self, name: &DomainName, port: u16) -> NameMatch<'_> {
        self.lookup_for(None, name, port)
    }

    /// What the rules say of a name on a port to somebody. A denial beats every allowance, be it of the name itself or of a wildcard
    /// above it; of allowances, the name's own counts, else that of the longest wildcard.
    #[must_use]
    pub fn lookup_for(&self, asker: Option<Asker>, name: &DomainName, port: u16) -> NameMatch<'_> {
        let found = match self.names.find(name, port, asker) {
            None => return NameMatch::Unknown,
            Some(Found::OtherPort) => None,
            Some(Found::Target(Target::Allow(index))) => self.routes.get(index).map(NameMatch::Allow),
            Some(Found::Target(Target::Deny(index))) => self.spec.rules.get(index).map(NameMatch::Deny),
        };
        found.unwrap_or(NameMatch::OtherPort)
    }

    /// Whether a rule allows it to everybody on any port.
    #[must_use]
    pub fn allows(&self, name: &DomainName) -> bool {
        self.allows_for(None, name)
    }

    /// Whether a rule allows it to somebody on any port.
    #[must_use]
    pub fn allows_for(&self, asker: Option<Asker>, name: &DomainName) -> bool {
        self.names.allows(name, asker)
    }

    /// The ports on which a rule allows it to somebody; some may come twice.
    pub fn allowed_ports<'p>(&'p self, asker: Asker, name: &'p DomainName) -> impl Iterator<Item = u16> + 'p {
        self.names.allowed_ports(name, Some(asker))
    }

    /// Whether any rule is about it by its name.
    #[must_use]
    pub fn names(&self, name: &DomainName) -> bool {
        self.names.names(name)
    }

    /// Whether any rule is about it, by its name or by a wildcard above it.
    #[must_use]
    pub fn mentions(&self, name: &DomainName) -> bool {
        self.names.mentions(name)
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
