use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;

use crate::control::{CallError, Client, Request};
use crate::daemon;

use super::args::{Json, Place};
use super::failure::Failure;
use super::output;

/// How long the process may take to end once it has removed everything.
const PATIENCE: Duration = Duration::from_secs(10);

/// The answer of `down --json`.
#[derive(Serialize)]
struct Report {
    stopped_daemon: bool,
    removed: Vec<String>,
}

pub fn run(args: Json, place: &Place) -> Result<ExitCode, Failure> {
    let stopped_daemon = stop(place)?;
    let removed = if stopped_daemon {
        Vec::new()
    } else {
        daemon::remove_leftovers(&place.state_dir).map_err(|error| Failure::from_start(&error))?
    };
    let report = Report { stopped_daemon, removed };
    if args.json {
        output::json(&report)?;
    } else if report.stopped_daemon {
        output::line("decider has stopped; the kernel is as it was before")?;
    } else if report.removed.is_empty() {
        output::line("no decider runs here, and none has left anything behind")?;
    } else {
        let removed = report.removed.join(", ");
        output::line(format_args!("no decider runs here; removed what one left behind: {removed}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Stops the decider that runs, and waits for its process to be gone; says whether there was one.
fn stop(place: &Place) -> Result<bool, Failure> {
    let client = match Client::connect(&place.socket) {
        Ok(client) => client,
        Err(CallError::NoDaemon(_)) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    // One in another process namespace cannot be waited for.
    let process = client.process().ok();
    client.call::<()>(&Request::Down {})?;
    match process {
        Some(process) if !process.ends_within(PATIENCE) => {
            let pid = process.pid();
            Err(Failure::system(format!(
                "every trace is removed, but the process goes on: end it with `kill -9 {pid}`"
            )))
        }
        Some(_) | None => Ok(true),
    }
}
