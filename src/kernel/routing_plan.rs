use std::fmt;

use crate::model::{Mark, MarkMask};
use crate::policy::{Mode, Policy};

use super::names::{LOCAL_TABLE, PROTOCOL, preference};

/// The routing rules and routes that a policy needs, the same for IPv4 and IPv6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutingPlan {
    /// In the order of their preference.
    pub rules: Vec<RoutingRule>,
    /// What delivers marked packets to the local stack.
    pub route: LocalRoute,
}

/// A routing rule (`ip rule`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RoutingRule {
    /// Marks of a class of listeners: to the local stack.
    Listeners {
        /// Its preference.
        preference: u32,
        /// The class's value.
        mark: Mark,
        /// The bits that are looked at.
        bits: u32,
    },
    /// What may pass without a proxy skips the lockdown.
    Direct {
        /// The mark.
        mark: Mark,
        /// The bits that are looked at.
        bits: u32,
    },
    /// What comes in by a client interface goes nowhere.
    Lockdown {
        /// The interface.
        interface: String,
    },
    /// Where [`RoutingRule::Direct`] goes on.
    Behind,
}

/// `local default dev lo` in a table of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalRoute {
    /// The table.
    pub table: u32,
}

impl RoutingPlan {
    /// The plan of a policy on a host with these interfaces. Audit mode has no lockdown.
    #[must_use]
    pub fn new(policy: &Policy, interfaces: &[String]) -> Self {
        let spec = policy.spec();
        let mut rules = listeners(spec.marks);
        if spec.mode == Mode::Enforce && !spec.gateway.interfaces.is_empty() {
            rules.push(RoutingRule::Direct { mark: spec.marks.direct(), bits: spec.marks.bits() });
            rules.extend(locked(policy, interfaces).map(|interface| RoutingRule::Lockdown { interface }));
            rules.push(RoutingRule::Behind);
        }
        Self { rules, route: LocalRoute { table: LOCAL_TABLE } }
    }
}

fn listeners(mask: MarkMask) -> Vec<RoutingRule> {
    let classes = mask.listener_classes().into_iter().zip(preference::LISTENERS);
    classes.map(|((mark, bits), preference)| RoutingRule::Listeners { preference, mark, bits }).collect()
}

/// The interfaces that are named, whether they are there or not yet, and those there are that a pattern means.
fn locked<'a>(policy: &'a Policy, interfaces: &'a [String]) -> impl Iterator<Item = String> + 'a {
    let patterns = &policy.spec().gateway.interfaces;
    let named = patterns.iter().filter(|pattern| !pattern.is_wild()).map(|pattern| pattern.as_str().to_owned());
    let meant = interfaces.iter().filter(|interface| {
        let is_named = patterns.iter().any(|pattern| !pattern.is_wild() && pattern.matches(interface));
        !is_named && patterns.iter().any(|pattern| pattern.matches(interface))
    });
    named.chain(meant.cloned())
}

impl RoutingRule {
    /// Its preference: rules are asked in ascending order.
    #[must_use]
    pub const fn preference(&self) -> u32 {
        match self {
            Self::Listeners { preference, .. } => *preference,
            Self::Direct { .. } => preference::DIRECT,
            Self::Lockdown { .. } => preference::LOCKDOWN,
            Self::Behind => preference::BEHIND,
        }
    }
}

impl fmt::Display for RoutingPlan {
    /// The `ip` commands that would do the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for family in ["-4", "-6"] {
            writeln!(f, "ip {family} route add {}", self.route)?;
            for rule in &self.rules {
                writeln!(f, "ip {family} rule add {rule}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for LocalRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "local default dev lo table {} proto {PROTOCOL}", self.table)
    }
}

impl fmt::Display for RoutingRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pref {} ", self.preference())?;
        match self {
            Self::Listeners { mark, bits, .. } => write!(f, "fwmark {mark}/{} lookup {LOCAL_TABLE}", Mark(*bits))?,
            Self::Direct { mark, bits } => write!(f, "fwmark {mark}/{} goto {}", Mark(*bits), preference::BEHIND)?,
            Self::Lockdown { interface } => write!(f, "iif {interface} type unreachable")?,
            Self::Behind => f.write_str("nop")?,
        }
        write!(f, " protocol {PROTOCOL}")
    }
}
