//! The command line: one file a command.

mod allow;
mod args;
mod cache;
mod check;
mod diff;
mod docs;
mod doctor;
mod down;
mod event_file;
mod events;
mod explain;
mod failure;
mod learn;
mod lockdown;
mod output;
mod reload;
mod render;
mod replay;
mod rules;
mod run;
mod status;
mod style;
mod table;
mod top;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use failure::Failure;

/// Reads the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse_from(crate::filter::with_marks(std::env::args_os()));
    match dispatch(args) {
        Ok(code) => code,
        Err(failure) => {
            failure.print();
            failure.code()
        }
    }
}

fn dispatch(args: Args) -> Result<ExitCode, Failure> {
    let place = args.place;
    match args.command {
        Command::Check(args) => check::run(&args),
        Command::Render(args) => render::run(&args, &place),
        Command::Run(args) => run::run(&args, &place),
        Command::Lockdown(args) => lockdown::run(&args, &place),
        Command::Status(args) => status::run(args, &place),
        Command::Events(args) => events::run(&args, &place),
        Command::Top(args) => top::run(&args, &place),
        Command::Explain(args) => explain::run(&args, &place),
        Command::Cache(args) => cache::run(&args, &place),
        Command::Rules(args) => rules::run(args, &place),
        Command::Reload(args) => reload::run(&args, &place),
        Command::Allow(args) => allow::run(&args, &place),
        Command::Diff(args) => diff::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Learn(args) => learn::run(&args, &place),
        Command::Doctor(args) => doctor::run(&args, &place),
        Command::Down(output) => down::run(output, &place),
        Command::Completions { shell } => docs::completions(shell),
        Command::Man { directory } => docs::man(directory.as_deref()),
    }
}
