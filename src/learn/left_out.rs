use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use crate::model::{DomainName, words};

use super::evidence::Evidence;

/// Places that are told apart for each cause; of more it is only said that there are.
const MOST: usize = 256;

words! {
    /// Why something that was seen is in no proposed rule.
    pub enum Why {
        NoName = "no-name", "No name is known for these addresses, and a rule means a name: nobody was seen to look them up. Let the client connect by name and ask one of dns.resolvers, or leave them refused.";
        PrivateAddress = "private-address", "These names are at private addresses, which are not believed unless the policy says `allow_private: true` in dns.";
        Denied = "denied", "A rule with `action: deny` names these, and deny beats allow.";
        ManyPorts = "many-ports", "These names were meant on more than 32 ports, as by a scan: no port of theirs is proposed. Choose by a FILTER, as in port:22.";
        OddName = "odd-name", "No rule can be about these names.";
        OtherResolver = "other-resolver", "DNS to servers that dns.resolvers does not name. Let the client ask one of those, or add the server there if you trust it.";
        EncryptedDns = "encrypted-dns", "DNS over TLS or QUIC cannot be read. Let the client ask one of dns.resolvers over UDP or TCP, port 53.";
        Question = "question", "These names were asked for and not answered, so nobody knows on which port they were meant.";
        OtherProtocol = "other-protocol", "Rules are for TCP only: this stays refused.";
        LocalService = "local-service", "Services of this host itself, which no rule opens to clients.";
    }
}

/// What was seen, and is in no proposed rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Why.
    pub why: Why,
    /// The name, if one is known.
    pub domain: Option<DomainName>,
    /// The address, where the name does not say it.
    pub dst: Option<IpAddr>,
    /// The port; none where it does not matter or there is none.
    pub port: Option<u16>,
    /// What carries it, with nothing odd in it.
    pub proto: String,
    /// The rule that denies it, with nothing odd in it.
    pub rule: Option<String>,
}

/// A place with what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// What it is.
    #[serde(flatten)]
    pub place: Place,
    /// How often, by whom, when.
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// Places, bounded.
#[derive(Clone, Debug, Default)]
pub struct Places {
    kept: BTreeMap<Place, Evidence>,
    /// How many there are of each cause.
    counts: BTreeMap<Why, usize>,
    /// Decisions about more of them.
    beyond: BTreeMap<Why, u64>,
}

impl Places {
    pub fn take(&mut self, place: Place, evidence: &Evidence) {
        if let Some(known) = self.kept.get_mut(&place) {
            return known.add(evidence);
        }
        let count = self.counts.entry(place.why).or_default();
        if *count >= MOST {
            let beyond = self.beyond.entry(place.why).or_default();
            *beyond = beyond.saturating_add(evidence.times());
            return;
        }
        *count += 1;
        self.kept.insert(place, evidence.clone());
    }

    /// Them, by cause.
    pub fn each(&self) -> impl Iterator<Item = LeftOut> {
        self.kept.iter().map(|(place, evidence)| LeftOut { place: place.clone(), evidence: evidence.clone() })
    }

    /// Whether a rule was seen to deny this.
    pub fn denied(&self) -> impl Iterator<Item = (&DomainName, u16)> {
        let denied = self.kept.keys().filter(|place| place.why == Why::Denied);
        denied.filter_map(|place| Some((place.domain.as_ref()?, place.port?)))
    }

    /// Decisions about places that were too many to tell apart.
    pub fn beyond(&self) -> &BTreeMap<Why, u64> {
        &self.beyond
    }
}
