use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use crate::model::DomainName;
use crate::policy::Policy;
use crate::record::Event;

use super::judge::{Judgement, judge};

/// Different decisions that are told apart; more are counted only.
const MOST: usize = 10_000;

/// Decisions that two policies make otherwise.
#[derive(Debug, Default, Serialize)]
pub struct Changes {
    /// Decisions that were looked at.
    pub decisions: u64,
    /// Those that say too little to decide again.
    pub unknown: u64,
    /// Those that would be others: by verdict or reason.
    pub changed: u64,
    #[serde(skip)]
    kinds: BTreeMap<Kind, u64>,
}

/// Decisions that are alike, and how each policy makes them.
#[derive(Debug, Serialize)]
pub struct Change<'a> {
    /// What they are about, and the two judgements.
    #[serde(flatten)]
    pub kind: &'a Kind,
    /// How many of them there were.
    pub times: u64,
}

/// What decisions are about that are alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Kind {
    /// Who connected.
    pub client: IpAddr,
    /// The name that was meant, if it was known.
    pub domain: Option<DomainName>,
    /// Where to, if no name was known.
    pub dst: Option<IpAddr>,
    /// Destination port.
    pub dst_port: u16,
    /// Transport protocol.
    pub proto: String,
    /// By the one policy.
    pub before: Judgement,
    /// By the other.
    pub after: Judgement,
}

impl Changes {
    /// Looks at an event by both policies.
    pub fn look_at(&mut self, event: &Event, before: &Policy, after: &Policy) {
        let weight = event.weight();
        self.decisions += weight;
        let (Some(before), Some(after)) = (judge(before, event), judge(after, event)) else {
            self.unknown += weight;
            return;
        };
        // Another rule that allows the same is told among the rules.
        if (before.verdict, before.reason) == (after.verdict, after.reason) {
            return;
        }
        self.changed += weight;
        let dst = event.domain.is_none().then_some(event.dst);
        let (client, domain, proto) = (event.client, event.domain.clone(), event.proto.clone());
        let kind = Kind { client, domain, dst, dst_port: event.dst_port, proto, before, after };
        if self.kinds.len() < MOST || self.kinds.contains_key(&kind) {
            *self.kinds.entry(kind).or_default() += weight;
        }
    }

    /// Them, those that are alike once.
    pub fn each(&self) -> impl Iterator<Item = Change<'_>> {
        self.kinds.iter().map(|(kind, &times)| Change { kind, times })
    }
}
