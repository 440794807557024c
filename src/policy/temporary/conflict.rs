use std::net::IpAddr;

use crate::policy::code::Code;
use crate::policy::problems::shown;
use crate::policy::spec::{Action, Rule};

use super::resolve::Refused;

/// Whether all that a temporary rule is about is what another is about, and for at least its clients.
fn is_within(rule: &Rule, other: &Rule) -> bool {
    let client = rule.term.and_then(|term| term.client);
    let for_all = other.clients.is_empty();
    let for_it = |client: IpAddr| other.clients.iter().any(|network| network.contains(&client));
    other.name.covers(&rule.name) && (for_all || client.is_some_and(for_it))
}

/// Why a temporary rule cannot stand beside the rules of a file, or would change nothing; none if it can.
pub fn conflict(rule: &Rule, others: &[Rule]) -> Option<Refused> {
    let port = rule.ports.first().copied().unwrap_or_default();
    let covering = |action: Action| {
        others.iter().find(move |other| other.action == action && other.ports.contains(&port) && is_within(rule, other))
    };
    let name = shown(rule.name.as_str());
    if let Some(denial) = covering(Action::Deny) {
        let message = format!("{name} stays denied on port {port} by the rule {}: deny beats allow", denial.id);
        let help = "take that rule out of the policy file if this is meant to pass";
        return Some(Refused::new(Code::ConflictingRules, message).help(help));
    }
    if let Some(allowance) = covering(Action::Allow) {
        let message = format!("{name} is allowed on port {port} already, by the rule {}", allowance.id);
        return Some(Refused::new(Code::DuplicateRule, message));
    }
    let same_id = others.iter().any(|other| other.id == rule.id);
    same_id.then(|| {
        let message = format!("the policy has a rule with the id {}, which says something else", rule.id);
        Refused::new(Code::DuplicateId, message).help("give that rule another id")
    })
}
