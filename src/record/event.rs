use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{DomainName, Mark, Moment, OtherNames, Reason, RuleId, Transport, Verdict, Who};

/// A decision as a worker sends it off: made without allocating.
#[derive(Clone, Debug)]
pub struct Record {
    /// When it was made.
    pub at: Moment,
    /// What was decided.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The rule that decided, if one did.
    pub rule: Option<RuleId>,
    /// The name that the client meant, if known.
    pub domain: Option<DomainName>,
    /// Other names in question.
    pub also: OtherNames,
    /// Source address; the port is 0 where the protocol has none.
    pub client: SocketAddr,
    /// Destination.
    pub dst: SocketAddr,
    /// Transport protocol.
    pub transport: Transport,
    /// The mark the packet was given.
    pub mark: Mark,
    /// Index of the interface it came in on; 0 if none.
    pub in_interface: u32,
    /// The user whose process sent the packet, if one of this host did and the kernel said so.
    pub uid: Option<u32>,
    /// Who decided.
    pub path: PathTaken,
    /// From the packet's arrival here to its verdict.
    pub waited: Duration,
}

/// Who decided: userspace or the kernel alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PathTaken {
    /// A worker of a queue.
    Queue,
    /// The kernel's rules.
    Fast,
}

impl PathTaken {
    /// The word for it in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Fast => "fast",
        }
    }
}

/// One decision as the outside sees it (`events --json`, the log). Field names are part of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Wall clock, UTC.
    pub ts: Timestamp,
    /// What was decided.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The rule that decided.
    pub rule: Option<RuleId>,
    /// The name that the client meant.
    pub domain: Option<DomainName>,
    /// Source address.
    pub client: IpAddr,
    /// Source port; 0 where the protocol has none.
    pub client_port: u16,
    /// Destination address.
    pub dst: IpAddr,
    /// Destination port; 0 where the protocol has none.
    pub dst_port: u16,
    /// Transport protocol: tcp, udp, icmp, `ip-N`.
    pub proto: String,
    /// The mark, in hexadecimal.
    pub mark: String,
    /// Name of the interface it came in on.
    pub iface: Option<String>,
    /// Who decided.
    pub path: PathTaken,
    /// Microseconds from the packet's arrival in userspace to its verdict.
    pub waited_us: u64,
    /// Who of this host began it.
    #[serde(flatten)]
    pub who: Who,
    /// Other names in question.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<DomainName>,
    /// What to set up otherwise, where the reason alone does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// How many equal decisions this one stands for; absent: one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated: Option<u64>,
}

impl Event {
    /// A record in the outside's words.
    #[must_use]
    pub fn from_record(record: Record, ts: Timestamp, iface: Option<String>, who: Who) -> Self {
        Self {
            ts,
            verdict: record.verdict,
            reason: record.reason,
            rule: record.rule,
            domain: record.domain,
            client: record.client.ip(),
            client_port: record.client.port(),
            dst: record.dst.ip(),
            dst_port: record.dst.port(),
            proto: record.transport.to_string(),
            mark: record.mark.to_string(),
            iface,
            path: record.path,
            waited_us: u64::try_from(record.waited.as_micros()).unwrap_or(u64::MAX),
            who,
            also: record.also.to_vec(),
            hint: record.reason.hint().map(str::to_owned),
            repeated: None,
        }
    }

    /// How many decisions it stands for.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.repeated.unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contract: names, order, words. Programs of others read this.
    #[test]
    fn an_event_has_these_fields_in_json() {
        let record = Record {
            at: Moment::ZERO,
            verdict: Verdict::Deny,
            reason: Reason::NoObservation,
            rule: None,
            domain: None,
            also: OtherNames::new(),
            client: "[2001:db8:1::7]:40000".parse().unwrap(),
            dst: "[2001:db8:2::9]:22".parse().unwrap(),
            transport: Transport::Tcp,
            mark: Mark(0x100),
            in_interface: 7,
            uid: None,
            path: PathTaken::Queue,
            waited: Duration::from_micros(42),
        };
        let mut event = Event::from_record(record, Timestamp::UNIX_EPOCH, Some("lan0".into()), Who::default());
        let plain = concat!(
            r#"{"ts":"1970-01-01T00:00:00Z","verdict":"deny","reason":"no-observation","rule":null,"domain":null,"#,
            r#""client":"2001:db8:1::7","client_port":40000,"dst":"2001:db8:2::9","dst_port":22,"proto":"tcp","#,
            r#""mark":"0x00000100","iface":"lan0","path":"queue","waited_us":42"#,
        );
        assert_eq!(serde_json::to_string(&event).unwrap(), format!("{plain}}}"));
        let (exe, cgroup) = ("/usr/bin/ssh".to_owned(), "/user.slice".to_owned());
        event.who = Who { uid: Some(1000), pid: Some(77), exe: Some(exe), cgroup: Some(cgroup) };
        let who = r#""uid":1000,"pid":77,"exe":"/usr/bin/ssh","cgroup":"/user.slice""#;
        assert_eq!(serde_json::to_string(&event).unwrap(), format!("{plain},{who}}}"));
        event.who = Who { uid: Some(0), ..Who::default() };
        event.also = vec![DomainName::parse("b.example").unwrap()];
        event.hint = Some("ask".to_owned());
        event.repeated = Some(3);
        let written = serde_json::to_string(&event).unwrap();
        assert_eq!(written, format!(r#"{plain},"uid":0,"also":["b.example"],"hint":"ask","repeated":3}}"#));
        assert_eq!(serde_json::from_str::<Event>(&written).unwrap(), event);
    }
}
