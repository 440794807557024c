use std::collections::{BTreeMap, HashMap};

use ipnet::IpNet;

use crate::model::{NamePattern, RuleId};
use crate::policy::code::Code;
use crate::policy::problems::{Fault, Problems, shown};
use crate::policy::spec::{Action, Rule};

use super::rule::Placed;

/// Tells rules that do not go together: on the same name and port for the same clients, or with the same id.
pub fn check(rules: &[Placed], problems: &Problems<'_>) {
    let mut ports: HashMap<(&NamePattern, u16, Option<IpNet>), &Placed> = HashMap::new();
    let mut protos: HashMap<(&NamePattern, u16), &Placed> = HashMap::new();
    let mut ids: HashMap<&RuleId, &Placed> = HashMap::new();
    for placed in rules {
        let mut shared: BTreeMap<usize, (&Placed, Vec<u16>)> = BTreeMap::new();
        for &port in &placed.rule.ports {
            let name = &placed.rule.name;
            let same = whom(&placed.rule).find_map(|client| ports.get(&(name, port, client)));
            let other_proto = protos.get(&(name, port)).filter(|first| first.rule.proto != placed.rule.proto);
            if let Some(first) = same.or(other_proto) {
                shared.entry(first.domain.start).or_insert_with(|| (first, Vec::new())).1.push(port);
                continue;
            }
            ports.extend(whom(&placed.rule).map(|client| ((name, port, client), placed)));
            protos.entry((name, port)).or_insert(placed);
        }
        for (first, ports) in shared.values() {
            problems.error(placed.domain, overlap(first, &placed.rule, ports));
        }
        match ids.get(&placed.rule.id) {
            // Ids that were made are alike only if name and ports are: that is told already.
            Some(first) if shared.is_empty() || placed.id.is_some() => {
                problems.error(placed.id.unwrap_or(placed.domain), same_id(first, &placed.rule));
            }
            Some(_) => {}
            None => drop(ids.insert(&placed.rule.id, placed)),
        }
    }
}

/// The clients that a rule is for, each by itself; none: everybody.
fn whom(rule: &Rule) -> impl Iterator<Item = Option<IpNet>> {
    let everybody = rule.clients.is_empty().then_some(None);
    rule.clients.iter().copied().map(Some).chain(everybody)
}

fn overlap(first: &Placed, second: &Rule, ports: &[u16]) -> Fault {
    let name = shown(second.name.as_str());
    let ports = on_ports(ports);
    let (code, message, help) = if first.rule.action != second.action {
        let (one, other) = (done(first.rule.action), done(second.action));
        let message = format!("{name} is {one} {ports} above, and {other} here");
        (Code::ConflictingRules, message, "keep one of the two rules")
    } else if first.rule.proto != second.proto {
        let message = format!("{name} is `{}` {ports} above, and `{}` here", first.rule.proto, second.proto);
        (Code::ConflictingRules, message, "a port carries one proto: keep one of the two rules")
    } else {
        let message = format!("another rule decides {name} {ports} already");
        (Code::DuplicateRule, message, "leave each port of a name to one rule")
    };
    Fault::new(code, message).help(help).related(first.domain, "the other rule")
}

fn same_id(first: &Placed, second: &Rule) -> Fault {
    Fault::new(Code::DuplicateId, format!("another rule has the id {}", shown(second.id.as_str())))
        .help("an id names one rule: change one of them")
        .related(first.id.unwrap_or(first.domain), "the other rule")
}

fn done(action: Action) -> &'static str {
    match action {
        Action::Allow => "allowed",
        Action::Deny => "denied",
    }
}

/// "on port 22", or as many as are worth reading.
pub fn on_ports(ports: &[u16]) -> String {
    match ports {
        [one] => format!("on port {one}"),
        [one, two] => format!("on ports {one} and {two}"),
        [one, rest @ ..] => format!("on port {one} and {} more", rest.len()),
        [] => String::new(),
    }
}
