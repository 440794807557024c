use std::process::ExitCode;

use serde::Serialize;

use crate::control::{CallError, Client, Request};
use crate::daemon;

use super::args::{Down, Place};
use super::failure::Failure;
use super::output;

/// The answer of `down --json`.
#[derive(Serialize)]
struct Report {
    stopped_daemon: bool,
    removed: Vec<String>,
}

pub fn run(args: &Down, place: &Place) -> Result<ExitCode, Failure> {
    let stopped_daemon = match Client::connect(&place.socket).and_then(|client| client.call::<()>(&Request::Down {})) {
        Ok(()) => true,
        Err(CallError::NoDaemon(_)) => false,
        Err(error) => return Err(error.into()),
    };
    let removed = if stopped_daemon {
        Vec::new()
    } else {
        daemon::remove_leftovers(&args.config_dir).map_err(Failure::system)?
    };
    let report = Report { stopped_daemon, removed };
    if args.output.json {
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
