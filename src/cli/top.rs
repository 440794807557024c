use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::clock;
use crate::record::Event;
use crate::top::{End, Input, Live, Look, State, plain, run as show, signals, snapshot, update};

use super::args::{Place, Top};
use super::failure::Failure;
use super::output;

/// Longest line of a file of events, in bytes.
const MAX_LINE: u64 = 64 * 1024;

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

/// Reads what `events --json` has written, line by line.
fn replay(file: &Path, state: &mut State) -> Result<(), Failure> {
    let failed = |error| Failure::file("read", file, &error);
    let mut reader = BufReader::new(File::open(file).map_err(failed)?);
    for number in 1.. {
        let mut line = String::new();
        if reader.by_ref().take(MAX_LINE).read_line(&mut line).map_err(failed)? == 0 {
            break;
        }
        let value: serde_json::Value =
            serde_json::from_str(&line).map_err(|error| not_an_event(file, number, &error))?;
        if let Some(missed) = value.get("gap").and_then(serde_json::Value::as_u64) {
            update(state, Input::Gap(missed));
            continue;
        }
        let event: Event = serde_json::from_value(value).map_err(|error| not_an_event(file, number, &error))?;
        update(state, Input::Event(Box::new(event)));
    }
    Ok(())
}

fn not_an_event(file: &Path, number: usize, error: &serde_json::Error) -> Failure {
    let place = format!("{}:{number}", file.display());
    Failure::no(format!("{place}: this is no event: {error}")).with_help("write the file with `decider events --json`")
}

/// What the terminal can show, by its environment.
fn look() -> Look {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default().to_uppercase();
    let dumb = set("TERM").is_none_or(|term| term == "dumb");
    Look { colour: set("NO_COLOR").is_none() && !dumb, unicode: locale.contains("UTF-8") || locale.contains("UTF8") }
}
