use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;

use crate::control::FlowView;
use crate::filter::Fields;
use crate::model::{DomainName, Reason, RuleId, Verdict, Who};
use crate::record::{Event, PathTaken};

/// How much of a rate is what was measured before.
const SMOOTH: f64 = 0.6;

/// What makes two decisions one row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    verdict: Verdict,
    client: IpAddr,
    exe: Option<String>,
    uid: Option<u32>,
    dst: IpAddr,
    dst_port: u16,
    proto: String,
    domain: Option<DomainName>,
    rule: Option<RuleId>,
}

/// Equal connections or refusals: one line of the table. Field names of its JSON are stable.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What was decided.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The name that the client meant.
    pub domain: Option<DomainName>,
    /// Other names in question, at the last decision.
    pub also: Vec<DomainName>,
    /// Source address.
    pub client: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// Destination port.
    pub dst_port: u16,
    /// Transport protocol.
    pub proto: String,
    /// The rule that decided.
    pub rule: Option<RuleId>,
    /// The port of the listener that it was led to.
    pub listener_port: Option<u16>,
    /// The mark, in hexadecimal.
    pub mark: String,
    /// The interface that it came in on.
    pub iface: Option<String>,
    /// Who decided last; none if the decision was made before this began to look.
    pub path: Option<PathTaken>,
    /// Who of this host began it.
    #[serde(flatten)]
    pub who: Who,
    /// Decisions seen.
    pub count: u64,
    /// Connections that live.
    pub open: u64,
    /// Decisions a second.
    pub rate: f64,
    /// Bytes of the connections that live, both ways; none where the kernel does not count.
    pub bytes: Option<u64>,
    /// When it was first seen, or the oldest connection began.
    pub first: Timestamp,
    /// The last decision.
    pub last: Timestamp,
    /// Seconds until what is known of the name expires, where that was told.
    pub left_s: Option<u64>,
    /// Seconds until the temporary rule ends that lets it through; none if no such rule does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temporary_left_s: Option<u64>,
    #[serde(skip)]
    recent: u64,
}

impl Row {
    /// The row of a decision, not yet counted.
    pub(super) fn of_event(event: &Event) -> Self {
        Self {
            verdict: event.verdict,
            reason: event.reason,
            domain: event.domain.clone(),
            also: event.also.clone(),
            client: event.client,
            dst: event.dst,
            dst_port: event.dst_port,
            proto: event.proto.clone(),
            rule: event.rule.clone(),
            listener_port: None,
            mark: event.mark.clone(),
            iface: event.iface.clone(),
            path: Some(event.path),
            who: event.who.clone(),
            count: 0,
            open: 0,
            rate: 0.0,
            bytes: None,
            first: event.ts,
            last: event.ts,
            left_s: None,
            temporary_left_s: None,
            recent: 0,
        }
    }

    /// The row of a connection, not yet counted.
    pub(super) fn of_flow(flow: &FlowView, now: Timestamp) -> Self {
        Self {
            verdict: Verdict::Allow,
            reason: Reason::Allowed,
            domain: flow.domain.clone(),
            also: vec![],
            client: flow.client,
            dst: flow.dst,
            dst_port: flow.dst_port,
            proto: flow.proto.clone(),
            rule: Some(flow.rule.clone()),
            listener_port: Some(flow.listener_port),
            mark: flow.mark.clone(),
            iface: None,
            path: None,
            who: flow.who.clone(),
            count: 0,
            open: 0,
            rate: 0.0,
            bytes: None,
            first: now,
            last: now,
            left_s: None,
            temporary_left_s: None,
            recent: 0,
        }
    }

    /// What makes it this row.
    pub(super) fn key(&self) -> Key {
        Key {
            verdict: self.verdict,
            client: self.client,
            exe: self.who.exe.clone(),
            uid: self.who.uid,
            dst: self.dst,
            dst_port: self.dst_port,
            proto: self.proto.clone(),
            domain: self.domain.clone(),
            rule: self.rule.clone(),
        }
    }

    /// Counts a decision; for the rate only if it was made just now.
    pub(super) fn decided(&mut self, event: &Event, just_now: bool) {
        let weight = event.weight();
        self.count = self.count.saturating_add(weight);
        self.recent = self.recent.saturating_add(if just_now { weight } else { 0 });
        self.last = self.last.max(event.ts);
        (self.reason, self.path) = (event.reason, Some(event.path));
        self.who.pid = event.who.pid;
    }

    /// Adds a connection that lives.
    pub(super) fn lives(&mut self, flow: &FlowView, now: Timestamp) {
        self.open += 1;
        self.listener_port = Some(flow.listener_port);
        self.left_s = flow.left_s.or(self.left_s);
        let bytes = [flow.bytes_out, flow.bytes_in].into_iter().flatten().reduce(u64::saturating_add);
        if let Some(bytes) = bytes {
            self.bytes = Some(self.bytes.unwrap_or(0).saturating_add(bytes));
        }
        let age = flow.age_s.and_then(|age| i64::try_from(age).ok());
        let began = age.and_then(|age| now.checked_sub(jiff::SignedDuration::from_secs(age)).ok());
        self.first = began.map_or(self.first, |began| began.min(self.first));
    }

    /// Forgets the connections, before they are listed anew.
    pub(super) fn none_lives(&mut self) {
        (self.open, self.bytes) = (0, None);
    }

    /// Measures the rate over the time since the last measure.
    pub(super) fn measure(&mut self, seconds: f64) {
        let measured = per_second(self.recent, seconds);
        self.rate = self.rate.mul_add(SMOOTH, measured * (1.0 - SMOOTH));
        if self.rate < 0.01 {
            self.rate = 0.0;
        }
        self.recent = 0;
    }

    /// What a filter looks at.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        Fields {
            verdict: self.verdict,
            reason: Some(self.reason),
            rule: self.rule.as_ref().map(RuleId::as_str),
            domain: self.domain.as_ref(),
            also: &self.also,
            client: self.client,
            dst: self.dst,
            port: self.dst_port,
            proto: &self.proto,
            iface: self.iface.as_deref(),
            path: self.path,
            who: &self.who,
        }
    }

    /// The command that would let a refused connection through for ten minutes, and no other client's; none where a name's rule
    /// would not.
    #[must_use]
    pub fn allow_line(&self) -> Option<String> {
        let target = self.allow_target()?;
        Some(format!("decider allow {target} --for 10m --client {}", self.client))
    }

    /// What `decider allow` is to be asked for; none likewise.
    pub(super) fn allow_target(&self) -> Option<String> {
        let by_rule = matches!(self.reason, Reason::NameNotAllowed | Reason::PortNotAllowed) && self.proto == "tcp";
        let name = self.domain.as_ref().filter(|_| by_rule && self.verdict != Verdict::Allow)?;
        Some(format!("{name}:{}", self.dst_port))
    }
}

/// A number of things in so many seconds, as a rate.
pub fn per_second(number: u64, seconds: f64) -> f64 {
    let number = f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    if seconds > 0.0 { number / seconds } else { 0.0 }
}
