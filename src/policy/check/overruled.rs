use std::collections::HashMap;

use crate::model::NamePattern;
use crate::policy::code::Code;
use crate::policy::problems::{Fault, Problems, shown};
use crate::policy::spec::Action;

use super::conflicts::on_ports;
use super::rule::Placed;

/// The rules that deny something to everybody, by what they deny.
#[derive(Default)]
struct Denials<'p> {
    by_name: HashMap<(&'p NamePattern, u16), &'p Placed>,
    /// By the name that those of a wildcard are below.
    by_base: HashMap<(&'p str, u16), &'p Placed>,
}

/// Tells allow rules for what another rule denies to everybody: they change nothing.
pub fn check(rules: &[Placed], problems: &Problems<'_>) {
    let denials = Denials::of(rules);
    if denials.by_name.is_empty() {
        return;
    }
    for placed in rules.iter().filter(|placed| placed.rule.action == Action::Allow) {
        let denial = |port: u16| denials.over(placed, port);
        let ports: Vec<u16> = placed.rule.ports.iter().copied().filter(|&port| denial(port).is_some()).collect();
        if let Some(first) = ports.first().and_then(|&port| denial(port)) {
            let name = shown(placed.rule.name.as_str());
            let message = format!("{name} stays denied {}: deny beats allow", on_ports(&ports));
            let fault = Fault::new(Code::NoEffect, message)
                .help("take this rule out, or let the other one deny less")
                .related(first.domain, "this denies it");
            problems.warning(placed.domain, fault);
        }
    }
}

impl<'p> Denials<'p> {
    fn of(rules: &'p [Placed]) -> Self {
        let mut denials = Self::default();
        let to_everybody = |placed: &&Placed| placed.rule.action == Action::Deny && placed.rule.clients.is_empty();
        for placed in rules.iter().filter(to_everybody) {
            let name = &placed.rule.name;
            for &port in &placed.rule.ports {
                denials.by_name.insert((name, port), placed);
                denials.by_base.extend(name.base().map(|base| ((base, port), placed)));
            }
        }
        denials
    }

    /// The one over all that a rule allows on a port.
    fn over(&self, placed: &'p Placed, port: u16) -> Option<&'p Placed> {
        let name = &placed.rule.name;
        // Where both are for everybody, the conflict is told.
        let same = if placed.rule.clients.is_empty() { None } else { self.by_name.get(&(name, port)) };
        let above = || above(name.base().unwrap_or(name.as_str())).find_map(|base| self.by_base.get(&(base, port)));
        same.or_else(above).copied()
    }
}

/// The names above a name, the nearest first.
fn above(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.').filter_map(|(dot, _)| name.get(dot + 1..))
}
