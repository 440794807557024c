use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::clock;
use crate::top::{End, Live, Look, State, plain, run as show, signals, snapshot, update};

use super::args::{Place, Top};
use super::event_file::Unread;
use super::failure::Failure;
use super::{event_file, output};

pub fn run(args: &Top, place: &Place) -> Result<ExitCode, Failure> {
    let now = jiff::Timestamp::try_from(clock::wall()).unwrap_or_default();
    let mut state = if args.replay.is_some() { State::of_a_file(jiff::Timestamp::UNIX_EPOCH) } else { State::new(now) };
    state.set_filter(&args.filter.join(" ")).map_err(|error| Failure::usage(error.to_string()))?;
    if let Some(file) = &args.replay {
        replay(file, &mut state)?;
    }
    if args.once || args.output.json {
        if args.replay.is_none() {
            snapshot(&place.socket, &mut state)?;
        }
        return print(&state, args.output.json);
    }
    let terminal = |error| Failure::system(format!("the terminal cannot be used: {error}"));
    let signals = signals().map_err(terminal)?;
    let interval = Duration::from_millis(args.interval);
    let live = if args.replay.is_none() { Some(Live::start(&place.socket, interval)?) } else { None };
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Failure::usage("top wants a terminal: use --once or --json to print what it would show"));
    }
    let ended = show(&mut state, live.as_ref(), &signals, &place.socket, look(), interval);
    match ended.map_err(terminal)? {
        End::Quit => Ok(ExitCode::SUCCESS),
        End::Signal(signal) => Ok(ExitCode::from(u8::try_from(128 + signal).unwrap_or(u8::MAX))),
    }
}

fn print(state: &State, json: bool) -> Result<ExitCode, Failure> {
    if json {
        output::json(&state.shown())?;
    } else {
        output::write(|out| {
            plain(state).iter().try_for_each(|line| std::io::Write::write_fmt(out, format_args!("{line}\n")))
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads what `events --json` has written.
fn replay(file: &Path, state: &mut State) -> Result<(), Failure> {
    event_file::each(file, |line| update(state, line.into())).map_err(|error| match error {
        Unread::System(error) => Failure::file("read", file, &error),
        Unread::Line(number, error) => Failure::no(format!("{}:{number}: this is no event: {error}", file.display()))
            .with_help("write the file with `decider events --json`"),
    })
}

/// What the terminal can show, by its environment.
fn look() -> Look {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default().to_uppercase();
    let dumb = set("TERM").is_none_or(|term| term == "dumb");
    Look { colour: set("NO_COLOR").is_none() && !dumb, unicode: locale.contains("UTF-8") || locale.contains("UTF8") }
}
