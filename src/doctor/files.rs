use std::path::PathBuf;

use super::{Finding, Unseen};

/// A file or directory that decider must be able to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathFact {
    /// Where.
    pub path: PathBuf,
    /// What for.
    pub purpose: Purpose,
    /// What is there.
    pub found: Found,
}

/// What a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The policy.
    Policy,
    /// What must outlive a restart.
    State,
    /// The folder of the control socket.
    Runtime,
    /// Envoy's files.
    Envoy,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// Something of a user, with a mode; whether it is of the right kind.
    Thing {
        /// Its owner.
        owner: u32,
        /// Its permissions.
        mode: u32,
        /// Whether it is a directory where one is wanted, or else a file.
        right_kind: bool,
    },
    /// It cannot be told.
    Hidden(Unseen),
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Policy => "files.policy",
            Self::State => "files.state",
            Self::Runtime => "files.runtime",
            Self::Envoy => "files.envoy",
        }
    }

    /// Whether others can take something away or put something in its place. In Envoy's directory its user may make files of
    /// its own, where the sticky bit keeps the others safe.
    const fn is_open(self, mode: u32) -> bool {
        let is_shared = matches!(self, Self::Envoy) && mode & 0o1022 == 0o1020;
        mode & 0o022 != 0 && !is_shared
    }
}

pub fn examine(facts: &[PathFact]) -> Vec<Finding> {
    facts.iter().map(of_path).collect()
}

fn of_path(fact: &PathFact) -> Finding {
    let (name, path) = (fact.purpose.name(), fact.path.display());
    match &fact.found {
        Found::Nothing => Finding::ok(name, format!("{path} is made at the start")),
        Found::Hidden(unseen) => Finding::unseen(name, &path.to_string(), unseen),
        Found::Thing { right_kind: false, .. } => {
            Finding::wrong(name, format!("{path} is not what it should be"), format!("mv {path} {path}.old"))
        }
        Found::Thing { owner, .. } if *owner != 0 => {
            Finding::wrong(name, format!("{path} belongs to user {owner}"), format!("chown root: {path}"))
        }
        Found::Thing { mode, .. } if fact.purpose.is_open(*mode) => Finding::wrong(
            name,
            format!("{path} can be written by others (mode {:o})", mode & 0o7777),
            format!("chmod go-w {path}"),
        ),
        Found::Thing { .. } => Finding::ok(name, format!("{path} is root's alone to write")),
    }
}
