use std::process::ExitCode;

use serde::Serialize;

use crate::control::{CallError, Client, Request};
use crate::daemon;

use super::args::{Json, Place};
use super::failure::Failure;
use super::table;

/// The answer of `down --json`.
#[derive(Serialize)]
struct Report {
    stopped_daemon: bool,
    removed: Vec<String>,
}

pub fn run(output: Json, place: &Place) -> Result<ExitCode, Failure> {
    let stopped_daemon = match Client::connect(&place.socket).and_then(|client| client.call::<()>(&Request::Down {})) {
        Ok(()) => true,
        Err(CallError::NoDaemon(_)) => false,
        Err(error) => return Err(error.into()),
    };
    let removed = if stopped_daemon {
        Vec::new()
    } else {
        daemon::remove_leftovers(&place.state_dir).map_err(|error| Failure::from_start(&error))?
    };
    let report = Report { stopped_daemon, removed };
    if output.json {
        table::print_json(&report)?;
    } else if report.stopped_daemon {
        anstream::println!("decider has stopped; the kernel is as it was before");
    } else if report.removed.is_empty() {
        anstream::println!("no decider runs here, and none has left anything behind");
    } else {
        anstream::println!("no decider runs here; removed what one left behind: {}", report.removed.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}
