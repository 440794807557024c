use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use crate::model::{Reason, Verdict};
use crate::record::Event;

use super::few::Few;
use super::harmless::harmless;

/// What stands behind a rule: how often, by whom, from when to when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Decisions that let it through by a rule.
    pub allowed: u64,
    /// Decisions that let it through because the policy only looks.
    pub audited: u64,
    /// Decisions that refused it.
    pub refused: u64,
    /// Those of them that came after the lookup had expired.
    pub expired: u64,
    /// Who connected.
    pub clients: Few<IpAddr>,
    /// By which programs, as far as that is known: their files' names, with nothing odd in them.
    pub programs: Few<String>,
    /// When it was seen first.
    pub first: Timestamp,
    /// And last.
    pub last: Timestamp,
}

impl Evidence {
    /// Of one event.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let mut evidence = Self {
            allowed: 0,
            audited: 0,
            refused: 0,
            expired: 0,
            clients: Few::new(),
            programs: Few::new(),
            first: event.ts,
            last: event.ts,
        };
        let weight = event.weight();
        match event.verdict {
            Verdict::Allow => evidence.allowed = weight,
            Verdict::Audit => evidence.audited = weight,
            Verdict::Deny => evidence.refused = weight,
        }
        if event.reason == Reason::ObservationExpired {
            evidence.expired = weight;
        }
        evidence.clients.take(event.client);
        let program = event.who.exe.as_deref().and_then(|path| path.rsplit('/').next());
        program.filter(|name| !name.is_empty()).into_iter().for_each(|name| evidence.programs.take(harmless(name)));
        evidence
    }

    /// Adds what stands behind something else to it.
    pub fn add(&mut self, other: &Self) {
        let sum = |one: &mut u64, other: u64| *one = one.saturating_add(other);
        sum(&mut self.allowed, other.allowed);
        sum(&mut self.audited, other.audited);
        sum(&mut self.refused, other.refused);
        sum(&mut self.expired, other.expired);
        self.clients.merge(&other.clients);
        self.programs.merge(&other.programs);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }

    /// How often it was seen.
    #[must_use]
    pub fn times(&self) -> u64 {
        self.allowed.saturating_add(self.audited).saturating_add(self.refused)
    }
}

impl Serialize for Evidence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Evidence", 10)?;
        fields.serialize_field("times", &self.times())?;
        fields.serialize_field("allowed", &self.allowed)?;
        fields.serialize_field("audited", &self.audited)?;
        fields.serialize_field("refused", &self.refused)?;
        fields.serialize_field("expired", &self.expired)?;
        fields.serialize_field("clients", &self.clients.kept().collect::<Vec<_>>())?;
        fields.serialize_field("more_clients", &self.clients.is_cut())?;
        fields.serialize_field("programs", &self.programs.kept().collect::<Vec<_>>())?;
        fields.serialize_field("first", &self.first)?;
        fields.serialize_field("last", &self.last)?;
        fields.end()
    }
}
