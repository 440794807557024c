use std::path::Path;

use crate::control::{CallError, Client, Request, Status};
use crate::doctor::{Answer, DaemonFacts};
use crate::kernel::table_exists;

/// The decider that runs, with all that it says, and what of that is told of.
pub fn ask(socket: &Path) -> (Option<Status>, DaemonFacts) {
    let answer = Client::connect(socket).and_then(|client| client.call::<Status>(&Request::Status {}));
    match answer {
        Ok(status) => {
            let facts = DaemonFacts::Running(digest(&status));
            (Some(status), facts)
        }
        Err(CallError::NoDaemon(_)) => (None, DaemonFacts::None { leftovers: table_exists().unwrap_or(false) }),
        Err(CallError::NotAllowed(_)) => (None, DaemonFacts::NotAllowed),
        Err(
            error @ (CallError::Broken(_)
            | CallError::Silent
            | CallError::Protocol(_)
            | CallError::Version
            | CallError::Refused(_)),
        ) => (None, DaemonFacts::Unwell(error.to_string())),
    }
}

fn digest(status: &Status) -> Answer {
    let problems = status.problems.iter().map(|problem| (problem.what.clone(), problem.message.clone()));
    Answer {
        pid: status.pid,
        version: status.version.clone(),
        problems: problems.collect(),
        queues: status.queues.iter().map(|queue| queue.number).collect(),
    }
}
