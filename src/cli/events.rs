use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;

use jiff::tz::TimeZone;

use crate::control::{CallError, Client, EventLine, Request};
use crate::model::{DomainName, RuleId};
use crate::record::Event;

use super::args::{Events, Place};
use super::failure::Failure;
use super::{style, who};

pub fn run(args: &Events, place: &Place) -> Result<ExitCode, Failure> {
    let request = Request::Events { last: args.last, follow: args.follow };
    let client = Client::connect(&place.socket)?;
    let json = args.output.json;
    let shown = if json { Ok(()) } else { show_header() };
    let ended = shown.and_then(|()| client.events(&request, |line| show(&line, json)));
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

fn show_header() -> Result<(), Ended> {
    let faint = style::FAINT;
    let header = line("TIME", "WHAT", "REASON", "CLIENT", "DESTINATION");
    let mut out = anstream::stdout().lock();
    writeln!(out, "{faint}{header}NAME (RULE){faint:#}")?;
    Ok(out.flush()?)
}

fn show(line: &EventLine, json: bool) -> Result<(), Ended> {
    let mut out = anstream::stdout().lock();
    match (line, json) {
        (EventLine::Event(event), true) => {
            writeln!(out, "{}", serde_json::to_string(event).map_err(io::Error::from)?)
        }
        (EventLine::Event(event), false) => writeln!(out, "{}", row(event)),
        (EventLine::Gap(missed), true) => writeln!(out, "{{\"gap\":{missed}}}"),
        (EventLine::Gap(missed), false) => {
            let warn = style::WARN;
            writeln!(out, "{warn}... {missed} events missed: this reader was too slow ...{warn:#}")
        }
    }?;
    Ok(out.flush()?)
}

/// The columns in front of the name, wide enough for every reason and IPv4.
fn line(time: &str, verdict: &str, reason: &str, client: &str, destination: &str) -> String {
    format!("{time:<8}  {verdict:<5}  {reason:<20}  {client:<15}  {destination:<21}  ")
}

fn row(event: &Event) -> String {
    let time = event.ts.to_zoned_datetime(TimeZone::system()).strftime("%H:%M:%S").to_string();
    let client = event.client.to_string();
    let destination = destination(event.dst, event.dst_port, &event.proto);
    let columns = line(&time, event.verdict.as_str(), event.reason.as_str(), &client, &destination);
    let name = event.domain.as_ref().map_or("-", DomainName::as_str);
    let rule = event.rule.as_ref().filter(|rule| !is_made_of(rule, name)).map(|rule| format!(" ({rule})"));
    let also: Vec<&str> = event.also.iter().map(DomainName::as_str).collect();
    let also = if also.is_empty() { String::new() } else { format!(", also {}", also.join(", ")) };
    let hint = event.hint.as_ref().map_or(String::new(), |hint| format!("  {hint}"));
    let repeated = event.repeated.map_or(String::new(), |count| format!("  x{count}"));
    let who = who::words(&event.who).map_or(String::new(), |who| format!(", by {who}"));
    let style = style::of_verdict(event.verdict);
    format!("{style}{columns}{style:#}{name}{}{also}{who}{hint}{repeated}", rule.unwrap_or_default())
}

/// Whether a rule's id says nothing that the row does not say: `<domain>:<port>/<proto>`.
fn is_made_of(rule: &RuleId, name: &str) -> bool {
    rule.as_str().strip_prefix(name).is_some_and(|rest| rest.starts_with(':'))
}

/// TCP is what nearly all are; other protocols are named.
fn destination(address: IpAddr, port: u16, proto: &str) -> String {
    let end = match port {
        0 => address.to_string(),
        port => SocketAddr::new(address, port).to_string(),
    };
    if proto == "tcp" { end } else { format!("{end}/{proto}") }
}
