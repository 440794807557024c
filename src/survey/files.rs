use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::daemon::offline;
use crate::doctor::{Found, PathFact, PolicyFacts, PolicyState, Purpose, Unseen};
use crate::policy::{Severity, Spec, load_bytes};

use super::Place;

pub fn gather(policy: &Path, place: &Place, spec: Option<&Spec>) -> Vec<PathFact> {
    let mut facts = Vec::new();
    if spec.is_some() {
        facts.push(look(policy.to_owned(), Purpose::Policy));
    }
    facts.push(look(place.state_dir.clone(), Purpose::State));
    facts.extend(place.socket.parent().map(|folder| look(folder.to_owned(), Purpose::Runtime)));
    facts.extend(spec.map(|spec| look(spec.envoy.config_dir.clone(), Purpose::Envoy)));
    facts
}

fn look(path: PathBuf, purpose: Purpose) -> PathFact {
    // A policy may be a link; what decider makes may not.
    let seen = match purpose {
        Purpose::Policy => std::fs::metadata(&path),
        Purpose::State | Purpose::Runtime | Purpose::Envoy => std::fs::symlink_metadata(&path),
    };
    let found = match seen {
        Ok(found) => Found::Thing {
            owner: found.uid(),
            mode: found.mode() & 0o7777,
            right_kind: if purpose == Purpose::Policy { found.is_file() } else { found.is_dir() },
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Found::Nothing,
        Err(error) => Found::Hidden(Unseen(error.to_string())),
    };
    PathFact { path, purpose, found }
}

pub fn read_policy(path: &Path) -> io::Result<PolicyFacts> {
    let state = match offline::read_policy(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => PolicyState::Absent,
        Err(error) => return Err(error),
        Ok(bytes) => match load_bytes(&bytes) {
            Ok(loaded) => PolicyState::Good(Box::new(loaded.spec)),
            Err(problems) => {
                PolicyState::Unusable(problems.iter().filter(|problem| problem.severity == Severity::Error).count())
            }
        },
    };
    Ok(PolicyFacts { path: path.to_owned(), state })
}
