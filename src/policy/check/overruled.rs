use std::collections::HashMap;

use crate::policy::code::Code;
use crate::policy::problems::{Fault, Problems, shown};
use crate::policy::spec::Action;

use super::conflicts::on_ports;
use super::rule::Placed;

/// Tells allow rules for names that a wildcard above denies: they change nothing.
pub fn check(rules: &[Placed], problems: &Problems<'_>) {
    let mut denied: HashMap<(&str, u16), &Placed> = HashMap::new();
    for placed in rules.iter().filter(|placed| placed.rule.action == Action::Deny) {
        let base = placed.rule.name.base();
        denied.extend(
            base.into_iter().flat_map(|base| placed.rule.ports.iter().map(move |&port| ((base, port), placed))),
        );
    }
    if denied.is_empty() {
        return;
    }
    for placed in rules.iter().filter(|placed| placed.rule.action == Action::Allow) {
        let name = placed.rule.name.base().unwrap_or(placed.rule.name.as_str());
        let denial = |port: u16| above(name).find_map(|base| denied.get(&(base, port)));
        let ports: Vec<u16> = placed.rule.ports.iter().copied().filter(|&port| denial(port).is_some()).collect();
        if let Some(first) = ports.first().and_then(|&port| denial(port)) {
            let name = shown(placed.rule.name.as_str());
            let message = format!("{name} stays denied {}: deny beats allow", on_ports(&ports));
            let fault = Fault::new(Code::NoEffect, message)
                .help("take this rule out, or let the other one deny fewer names")
                .related(first.domain, "this denies it");
            problems.warning(placed.domain, fault);
        }
    }
}

/// The names above a name, the nearest first.
fn above(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.').filter_map(|(dot, _)| name.get(dot + 1..))
}
