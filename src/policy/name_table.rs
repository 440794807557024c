use std::sync::Arc;

use hashbrown::HashMap;

use crate::model::{DomainName, NamePattern};

use super::limits::Limits;
use super::spec::{Asker, Rule};

/// What the rules say of names. A look-up costs a search for the name and one for each name above it, however many rules
/// there are, and allocates nothing. What is in it is the policy's own, so that a fast hash does, which no client can burden.
///
/// Its hash is quick, and not made for keys of strangers: what is in here is what the policy's author wrote.
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

/// What becomes of the names of one pattern, by port.
#[derive(Debug, Default)]
struct Ports(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    port: u16,
    target: Target,
    limits: Option<Arc<Limits>>,
}

impl NameTable {
    /// Each rule with its target. A pattern and a port have one of them for the same clients, and temporary ones.
    pub fn new<'r>(rules: impl Iterator<Item = (&'r Rule, Target)>) -> Self {
        let mut table = Self::default();
        for (rule, target) in rules {
            let limits = Limits::of(rule).map(Arc::new);
            let entry = |&port: &u16| Entry { port, target, limits: limits.clone() };
            table.of(&rule.name).0.extend(rule.ports.iter().map(entry));
        }
        for ports in table.exact.values_mut().chain(table.below.values_mut()) {
            ports.0.sort_by_key(|entry| entry.port);
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

    /// What becomes of a name on a port for somebody; none if no rule is about the name. Any denial beats every allowance; of several
    /// allowances, the name's own counts, else that of the longest wildcard.
    #[must_use]
    pub fn find(&self, name: &DomainName, port: u16, asker: Option<Asker>) -> Option<Found> {
        let mut found = None;
        for ports in self.about(name.as_str()).filter(|ports| ports.of(asker).next().is_some()) {
            found = match (ports.at(port, asker), found) {
                (Some(target @ Target::Deny(_)), _) => Some(Found::Target(target)),
                (_, Some(Found::Target(Target::Deny(_)))) => found,
                (Some(target @ Target::Allow(_)), _) => Some(Found::Target(target)),
                (None, _) => found.or(Some(Found::OtherPort)),
            };
        }
        found
    }

    /// Whether a name is allowed to somebody on any port.
    #[must_use]
    pub fn allows(&self, name: &DomainName, asker: Option<Asker>) -> bool {
        self.allowed_ports(name, asker).next().is_some()
    }

    /// The ports on which a name is allowed to somebody; some may come twice.
    pub fn allowed_ports<'t>(&'t self, name: &'t DomainName, asker: Option<Asker>) -> impl Iterator<Item = u16> + 't {
        let entries = self.about(name.as_str()).flat_map(move |ports| ports.of(asker));
        let allowances = entries.filter(|entry| entry.target.allows()).map(|entry| entry.port);
        // The first one counts already, but where the same port is denied by another rule.
        allowances.filter(move |&port| matches!(self.find(name, port, asker), Some(Found::Target(Target::Allow(_)))))
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

impl Entry {
    fn counts_for(&self, asker: Option<Asker>) -> bool {
        self.limits.as_ref().is_none_or(|limits| limits.count_for(asker))
    }

    /// Of several that count for somebody, the largest is the one: any denial, else what is said of the fewest clients.
    fn rank(&self, asker: Option<Asker>) -> (bool, u8) {
        let limits = self.limits.as_ref().zip(asker);
        (!self.target.allows(), limits.and_then(|(limits, asker)| limits.closeness(asker)).unwrap_or(0))
    }
}

impl Target {
    fn allows(self) -> bool {
        matches!(self, Self::Allow(_))
    }
}

impl Ports {
    /// Those that count for somebody.
    fn of(&self, asker: Option<Asker>) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter(move |entry| entry.counts_for(asker))
    }

    fn at(&self, port: u16, asker: Option<Asker>) -> Option<Target> {
        let first = self.0.partition_point(|entry| entry.port < port);
        let of_port = self.0.iter().skip(first).take_while(|entry| entry.port == port);
        let counting = of_port.filter(|entry| entry.counts_for(asker));
        // Of equals the first: a rule of the file stands before temporary ones.
        let best = counting.reduce(|best, other| if other.rank(asker) > best.rank(asker) { other } else { best });
        best.map(|entry| entry.target)
    }
}
