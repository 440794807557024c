use std::path::PathBuf;

use crate::policy::{InterfacePattern, Spec};

use super::Finding;

/// The policy that the host is looked at for.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyFacts {
    /// Its file.
    pub path: PathBuf,
    /// What is in it.
    pub state: PolicyState,
}

/// What is in a policy's file.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyState {
    /// There is no such file.
    Absent,
    /// It has this many problems.
    Unusable(usize),
    /// It can be used.
    Good(Box<Spec>),
}

impl PolicyFacts {
    /// What it says, if it can be used.
    #[must_use]
    pub fn spec(&self) -> Option<&Spec> {
        match &self.state {
            PolicyState::Good(spec) => Some(spec),
            PolicyState::Absent | PolicyState::Unusable(_) => None,
        }
    }
}

pub fn examine(facts: &PolicyFacts) -> Finding {
    const NAME: &str = "policy";
    let path = facts.path.display();
    match &facts.state {
        PolicyState::Good(spec) => Finding::ok(NAME, format!("{path}: {}", summary(spec))),
        PolicyState::Unusable(problems) => {
            Finding::wrong(NAME, format!("{path} has {problems} problems"), format!("decider check {path}"))
        }
        PolicyState::Absent => Finding::warn(
            NAME,
            format!("there is no {path}, so that nothing that depends on it was looked at"),
            "decider doctor FILE",
        ),
    }
}

fn summary(spec: &Spec) -> String {
    let mode = spec.mode.as_str();
    let interfaces: Vec<&str> = spec.gateway.interfaces.iter().map(InterfacePattern::as_str).collect();
    let clients = (!interfaces.is_empty()).then(|| format!("clients of {}", interfaces.join(", ")));
    let host = spec.host.then(|| "this host's own processes".to_owned());
    let covered: Vec<String> = [clients, host].into_iter().flatten().collect();
    format!("{} rules, {mode}, for {}", spec.rules.len(), covered.join(" and "))
}
