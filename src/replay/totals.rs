use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use crate::model::{Moment, Reason, Verdict};
use crate::record::Record;

/// Senders that are named as examples.
const EXAMPLES: usize = 5;

/// What was found in a capture.
#[derive(Debug, Default, Serialize)]
pub struct Totals {
    /// Packets of any kind.
    pub packets: u64,
    /// From the first packet to the last, in seconds.
    pub seconds: u64,
    /// Decisions that let something through.
    pub allowed: u64,
    /// Decisions that would have refused something.
    pub refused: u64,
    /// Decisions that audit would have let through, and enforce not.
    pub audited: u64,
    /// All of them by reason.
    pub reasons: BTreeMap<&'static str, u64>,
    /// Connections that had begun before the capture: not decided.
    pub begun_before: u64,
    /// What began with others than clients: not decided.
    pub of_others: u64,
    /// Some of those others.
    pub others: Vec<IpAddr>,
    /// Pieces of packets: not put together.
    pub fragments: u64,
    /// DNS messages and streams that the capture does not have as a whole: nothing learned of them.
    pub incomplete: u64,
    /// Packets that are damaged.
    pub unreadable: u64,
    /// Frames without an IP packet.
    pub no_ip: u64,
    /// Frames of a link type that is not known here.
    pub unknown_links: BTreeMap<u16, u64>,
    /// Whether the capture ends within a packet.
    pub cut_off: bool,
    #[serde(skip)]
    first: Option<Moment>,
}

impl Totals {
    /// A packet came at this moment.
    pub fn packet(&mut self, at: Moment) {
        self.packets += 1;
        let first = *self.first.get_or_insert(at);
        self.seconds = self.seconds.max(at.since(first).as_secs());
    }

    /// A decision was made.
    pub fn decision(&mut self, record: &Record) {
        match record.verdict {
            Verdict::Allow => self.allowed += 1,
            Verdict::Deny => self.refused += 1,
            Verdict::Audit => self.audited += 1,
        }
        *self.reasons.entry(Reason::as_str(record.reason)).or_default() += 1;
    }

    /// Somebody who is no client began something.
    pub fn other(&mut self, from: IpAddr) {
        self.of_others += 1;
        if self.others.len() < EXAMPLES && !self.others.contains(&from) {
            self.others.push(from);
        }
    }
}
