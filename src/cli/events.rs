use std::io::Write;
use std::process::ExitCode;

use jiff::tz::TimeZone;

use crate::control::{CallError, Client, EventLine, Request};
use crate::model::{DomainName, RuleId};
use crate::record::Event;

use super::args::{Events, Place};
use super::failure::Failure;
use super::style;

pub fn run(args: &Events, place: &Place) -> Result<ExitCode, Failure> {
    let request = Request::Events { last: args.last, follow: args.follow };
    let client = Client::connect(&place.socket)?;
    let json = args.output.json;
    if !json {
        let faint = style::FAINT;
        anstream::println!("{faint}{}{faint:#}", header());
    }
    let ended = client.events(&request, |line| show(&line, json));
    match ended {
        Ok(()) | Err(Ended::Reader) => Ok(ExitCode::SUCCESS),
        Err(Ended::Call(error)) => Err(error.into()),
    }
}

/// Why the stream ended early.
enum Ended {
    /// Nobody reads the output any more (`| head`): no failure.
    Reader,
    Call(CallError),
}

impl From<CallError> for Ended {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

fn show(line: &EventLine, json: bool) -> Result<(), Ended> {
    let mut out = anstream::stdout().lock();
    let written = match (line, json) {
        (EventLine::Event(event), true) => writeln!(out, "{}", serde_json::to_string(event).unwrap_or_default()),
        (EventLine::Event(event), false) => writeln!(out, "{}", row(event)),
        (EventLine::Gap(missed), true) => writeln!(out, "{{\"gap\":{missed}}}"),
        (EventLine::Gap(missed), false) => {
            let warn = style::WARN;
            writeln!(out, "{warn}... {missed} events missed: this reader was too slow ...{warn:#}")
        }
    };
    written.and_then(|()| out.flush()).map_err(|_| Ended::Reader)
}

fn header() -> String {
    format!(
        "{:<12}  {:<5}  {:<20}  {:<24}  {:<30}  {}",
        "TIME", "WHAT", "REASON", "CLIENT", "DESTINATION", "NAME (RULE)"
    )
}

fn row(event: &Event) -> String {
    let verdict = style::of_verdict(event.verdict);
    let time = event.ts.to_zoned_datetime(TimeZone::system()).strftime("%H:%M:%S%.3f").to_string();
    let name = event.domain.as_ref().map_or("-", DomainName::as_str);
    let rule = event.rule.as_ref().map_or(String::new(), |rule| format!(" ({})", RuleId::as_str(rule)));
    let also: Vec<&str> = event.also.iter().map(DomainName::as_str).collect();
    let also = if also.is_empty() { String::new() } else { format!(", also {}", also.join(", ")) };
    let repeated = event.repeated.map_or(String::new(), |count| format!("  x{count}"));
    format!(
        "{time:<12}  {verdict}{:<5}{verdict:#}  {:<20}  {:<24}  {:<30}  {name}{rule}{also}{repeated}",
        event.verdict,
        event.reason,
        end(event.client, event.client_port),
        format!("{}/{}", end(event.dst, event.dst_port), event.proto),
    )
}

fn end(address: std::net::IpAddr, port: u16) -> String {
    match port {
        0 => address.to_string(),
        port => std::net::SocketAddr::new(address, port).to_string(),
    }
}
