use std::net::{IpAddr, SocketAddr};

use jiff::tz::TimeZone;

use crate::cli::style;
use crate::model::{DomainName, RuleId};
use crate::record::Event;
use crate::say;

/// The names of the columns.
pub fn header() -> String {
    format!("{}NAME (RULE)", line("TIME", "WHAT", "REASON", "CLIENT", "DESTINATION"))
}

/// The columns in front of the name, wide enough for every reason and IPv4.
fn line(time: &str, verdict: &str, reason: &str, client: &str, destination: &str) -> String {
    format!("{time:<8}  {verdict:<5}  {reason:<20}  {client:<15}  {destination:<21}  ")
}

/// An event in one line.
pub fn row(event: &Event) -> String {
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
    let who = say::who(&event.who).map_or(String::new(), |who| format!(", by {who}"));
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
