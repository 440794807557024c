//! Events, as the recorder makes them.

use std::net::IpAddr;

use decider::model::{DomainName, Reason, RuleId, Verdict, Who};
use decider::record::{Event, PathTaken};

/// 2026-01-01, in seconds since 1970.
const BEGIN: i64 = 1_767_225_600;

pub const CLIENT: &str = "10.77.1.2";
pub const TWIN: &str = "fd77:1::2";

/// A decision about a name, made in audit mode that many minutes after the beginning.
pub fn named(minute: i64, client: &str, name: &str, dst: &str, port: u16) -> Event {
    Event { domain: Some(DomainName::parse(name).unwrap()), ..unnamed(minute, client, dst, port) }
}

/// The same without a name.
pub fn unnamed(minute: i64, client: &str, dst: &str, port: u16) -> Event {
    Event {
        ts: jiff::Timestamp::from_second(BEGIN + minute * 60).unwrap(),
        verdict: Verdict::Audit,
        reason: Reason::PortNotAllowed,
        rule: None,
        domain: None,
        client: address(client),
        client_port: 40_000,
        dst: address(dst),
        dst_port: port,
        proto: "tcp".to_owned(),
        mark: "0x00000000".to_owned(),
        iface: Some("lan0".to_owned()),
        path: PathTaken::Fast,
        waited_us: 0,
        who: Who::default(),
        also: vec![],
        hint: None,
        repeated: None,
    }
}

/// One that was refused, for this reason.
pub fn refused(reason: Reason, event: Event) -> Event {
    Event { verdict: Verdict::Deny, reason, ..event }
}

/// One that was allowed, by this rule.
pub fn allowed(rule: &str, event: Event) -> Event {
    Event { verdict: Verdict::Allow, reason: Reason::Allowed, rule: Some(RuleId::new(rule)), ..event }
}

pub fn by(program: &str, event: Event) -> Event {
    Event { who: Who { exe: Some(program.to_owned()), ..event.who }, ..event }
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// As `events --json` prints them.
pub fn lines(events: &[Event]) -> String {
    events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect()
}
