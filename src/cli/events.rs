pub mod rows;
pub mod wanted;

use std::io::{self, Write};
use std::process::ExitCode;

use crate::control::{CallError, Client, EventLine, Request};
use crate::record::Event;

use super::args::{Events, Place};
use super::failure::Failure;
use super::style;

use wanted::{Seen, Wanted};

pub fn run(args: &Events, place: &Place) -> Result<ExitCode, Failure> {
    let wanted = Wanted::read(args)?;
    let client = Client::connect(&place.socket)?;
    let json = args.output.json;
    let shown = if json { Ok(()) } else { show_header() };
    let ended = shown.and_then(|()| match wanted.plain() {
        Some(last) => client.events(&Request::Events { last, follow: args.follow }, |line| show(&line, json)),
        None => chosen(&wanted, client, args, place),
    });
    match ended {
        Ok(()) if args.follow => Err(Failure::no_daemon("decider has ended")),
        Ok(()) | Err(Ended::Reader) => Ok(ExitCode::SUCCESS),
        Err(Ended::Output(error)) => Err(error.into()),
        Err(Ended::Call(error)) => Err(error.into()),
    }
}

/// Why the stream ended early.
enum Ended {
    /// Nobody reads the output any more (`| head`): no failure.
    Reader,
    /// The output cannot be written.
    Output(io::Error),
    /// The daemon's side.
    Call(CallError),
}

impl From<CallError> for Ended {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Reader } else { Self::Output(error) }
    }
}

/// What is chosen of the past, and then of what comes.
fn chosen(wanted: &Wanted, client: Client, args: &Events, place: &Place) -> Result<(), Ended> {
    let json = args.output.json;
    let mut past: Vec<Event> = vec![];
    client.events(&Request::Events { last: usize::MAX, follow: false }, |line| {
        past.extend(line.event().map(|event| *event));
        Ok::<_, Ended>(())
    })?;
    for event in wanted.of_the_past(&past) {
        show_event(event, json)?;
    }
    if !args.follow {
        return Ok(());
    }
    // The stream begins with the past again: nothing is missed between the two requests.
    let mut seen = Seen::new(past);
    let client = Client::connect(&place.socket)?;
    client.events(&Request::Events { last: usize::MAX, follow: true }, |line| match &line {
        EventLine::Event(event) if seen.has(event) || !wanted.fits(event) => Ok(()),
        EventLine::Event(_) | EventLine::Gap(_) => show(&line, json),
    })
}

fn show_header() -> Result<(), Ended> {
    let faint = style::FAINT;
    let mut out = anstream::stdout().lock();
    writeln!(out, "{faint}{}{faint:#}", rows::header())?;
    Ok(out.flush()?)
}

fn show(line: &EventLine, json: bool) -> Result<(), Ended> {
    match line {
        EventLine::Event(event) => show_event(event, json),
        EventLine::Gap(missed) => show_gap(*missed, json),
    }
}

fn show_event(event: &Event, json: bool) -> Result<(), Ended> {
    let line = if json { serde_json::to_string(event).map_err(io::Error::from)? } else { rows::row(event) };
    let mut out = anstream::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

fn show_gap(missed: u64, json: bool) -> Result<(), Ended> {
    let mut out = anstream::stdout().lock();
    if json {
        writeln!(out, "{{\"gap\":{missed}}}")?;
    } else {
        let warn = style::WARN;
        writeln!(out, "{warn}... {missed} events missed: this reader was too slow ...{warn:#}")?;
    }
    Ok(out.flush()?)
}
