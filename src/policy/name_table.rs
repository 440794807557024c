use std::collections::HashMap;

use crate::model::{DomainName, NamePattern};

use super::spec::Rule;

/// What the rules say of names. A look-up costs a search for the name and one for each name above it, however many rules
/// there are, and allocates nothing.
#[derive(Debug, Default)]
pub struct NameTable {
    exact: HashMap<Box<str>, Ports>,
    /// By the name that those of a wildcard are below.
    below: HashMap<Box<str>, Ports>,
    /// Labels of the longest of these: a name's labels beyond need not be looked at, however many a client asks for.
    deepest: usize,
}

/// What becomes of a name on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Index among the routes.
    Allow(usize),
    /// Index among the rules.
    Deny(usize),
}

/// What is found for a name on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A rule is about both.
    Target(Target),
    /// Rules are about the name, but on other ports.
    OtherPort,
}

/// The targets of one pattern, by port.
#[derive(Debug, Default)]
struct Ports(Vec<(u16, Target)>);

impl NameTable {
    /// Each rule with its target. A pattern and a port have one of them.
    pub fn new<'r>(rules: impl Iterator<Item = (&'r Rule, Target)>) -> Self {
        let mut table = Self::default();
        for (rule, target) in rules {
            table.of(&rule.name).0.extend(rule.ports.iter().map(|&port| (port, target)));
        }
        for ports in table.exact.values_mut().chain(table.below.values_mut()) {
            ports.0.sort_unstable_by_key(|&(port, _)| port);
        }
        table
    }

    fn of(&mut self, pattern: &NamePattern) -> &mut Ports {
        match pattern.base() {
            None => self.exact.entry(pattern.as_str().into()).or_default(),
            Some(base) => {
                self.deepest = self.deepest.max(base.split('.').count());
                self.below.entry(base.into()).or_default()
            }
        }
    }

    /// What becomes of a name on a port; none if no rule is about the name. Any denial beats every allowance; of several
    /// allowances, the name's own counts, else that of the longest wildcard.
    #[must_use]
    pub fn find(&self, name: &DomainName, port: u16) -> Option<Found> {
        let mut found = None;
        for ports in self.about(name.as_str()) {
            found = match (ports.at(port), found) {
                (Some(target @ Target::Deny(_)), _) => Some(Found::Target(target)),
                (_, Some(Found::Target(Target::Deny(_)))) => found,
                (Some(target @ Target::Allow(_)), _) => Some(Found::Target(target)),
                (None, _) => found.or(Some(Found::OtherPort)),
            };
        }
        found
    }

    /// Whether a name is allowed on any port.
    #[must_use]
    pub fn allows(&self, name: &DomainName) -> bool {
        let mut allowances = self.about(name.as_str()).flat_map(|ports| &ports.0).filter(|(_, target)| target.allows());
        // The first one counts already, but where the same port is denied by another rule.
        allowances.any(|&(port, _)| matches!(self.find(name, port), Some(Found::Target(Target::Allow(_)))))
    }

    /// Whether any rule is about just this name.
    #[must_use]
    pub fn names(&self, name: &DomainName) -> bool {
        self.exact.contains_key(name.as_str())
    }

    /// Whether any rule is about a name.
    #[must_use]
    pub fn mentions(&self, name: &DomainName) -> bool {
        self.about(name.as_str()).next().is_some()
    }

    /// The patterns that mean a name: the shortest wildcard first, the name itself last.
    fn about<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t Ports> {
        let above = name.rmatch_indices('.').take(self.deepest).filter_map(|(dot, _)| name.get(dot + 1..));
        above.filter_map(|base| self.below.get(base)).chain(self.exact.get(name))
    }
}

impl Target {
    fn allows(self) -> bool {
        matches!(self, Self::Allow(_))
    }
}

impl Ports {
    fn at(&self, port: u16) -> Option<Target> {
        let index = self.0.binary_search_by_key(&port, |&(port, _)| port).ok()?;
        self.0.get(index).map(|&(_, target)| target)
    }
}
