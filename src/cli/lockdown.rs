use std::process::ExitCode;

use serde::Serialize;

use crate::daemon::{self, Lockdown};

use super::args::{self, Place};
use super::check::load;
use super::failure::Failure;
use super::output;

/// The answer of `lockdown --json`.
#[derive(Serialize)]
struct Report {
    closed: bool,
    message: &'static str,
}

pub fn run(args: &args::Lockdown, place: &Place) -> Result<ExitCode, Failure> {
    let outcome = load(&args.file)
        .and_then(|spec| daemon::lock_down(spec, &place.state_dir).map_err(|error| Failure::from_start(&error)));
    let outcome = outcome.map_err(|why| close(why, place))?;
    let report =
        Report { closed: matches!(outcome, Lockdown::InForce | Lockdown::WithoutBackstop), message: outcome.message() };
    if args.output.json {
        output::json(&report)?;
    } else {
        output::line(report.message)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// For want of what the policy wants closed, everything is. The failure stays one.
fn close(why: Failure, place: &Place) -> Failure {
    match daemon::close(&place.state_dir) {
        Ok(true) => why.with_help(
            "all that leaves or is forwarded is refused now: put that right and start decider (`decider down` opens the door)",
        ),
        Ok(false) => why.with_help("decider runs: nothing was changed"),
        Err(error) => why.with_help(format!("and the door could not be closed either: {error}")),
    }
}

impl Lockdown {
    fn message(self) -> &'static str {
        match self {
            Self::InForce => "the door is closed until decider runs",
            Self::WithoutBackstop => {
                "the door is closed until decider runs, unless another program flushes the ruleset: the backstop is not in \
                 force (it takes eBPF filters of traffic control and CAP_BPF)"
            }
            Self::Audit => "the policy is in audit mode, which refuses nothing: nothing was done",
            Self::Running => "decider runs, and has the door in its hands: nothing was done",
        }
    }
}
