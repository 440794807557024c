use std::collections::{BTreeMap, HashMap};

use crate::dns::{Belief, Grounds};
use crate::model::{DomainName, NamePattern, Reason};
use crate::policy::is_for_rules;
use crate::record::Event;

use super::evidence::Evidence;
use super::few::Few;
use super::harmless::harmless;
use super::left_out::{Place, Places, Why};
use super::neighbours::{Neighbours, Noted};

/// Pairs of name and port that are kept, some 20 MB: more than there are marks for.
const PAIRS: usize = 8_192;
/// Ports of one name that are kept; with more it is no rule.
const PORTS: usize = 32;
/// Other names of an event that are looked at.
const OTHERS: usize = 4;
/// The port of DNS, which no rule can name.
const DNS: u16 = 53;

/// The sum of the events so far. Takes bounded memory, however many there are and whatever is in them.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Whether names at private addresses are set apart: those who decided had been told to believe them.
    sets_private_apart: bool,
    pub(super) decisions: u64,
    pub(super) named: HashMap<DomainName, Named>,
    pairs: usize,
    pub(super) places: Places,
    pub(super) neighbours: Neighbours,
    /// Decisions about names that were too many to keep.
    pub(super) not_kept: u64,
    /// Decisions that say nothing about what a rule should be, by reason.
    pub(super) ignored: BTreeMap<Reason, u64>,
    pub(super) interfaces: Few<String>,
    pub(super) host: bool,
    pub(super) span: Option<Evidence>,
}

/// What was seen of a name.
#[derive(Clone, Debug, Default)]
pub struct Named {
    pub ports: BTreeMap<u16, Evidence>,
    /// Whether there were more than are kept.
    pub many_ports: bool,
    /// Whether it was at an address of which is not known who else is there.
    pub unwatched: bool,
    /// One of the many names at an address of it where it had no place any more.
    pub crowded: Option<DomainName>,
}

impl Seen {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, for decisions by a policy that believes private addresses only for this.
    #[must_use]
    pub fn with_private_apart() -> Self {
        Self { sets_private_apart: true, ..Self::default() }
    }

    /// Decisions so far.
    #[must_use]
    pub fn decisions(&self) -> u64 {
        self.decisions
    }

    /// The names, in their order.
    pub(super) fn in_order(&self) -> Vec<(&DomainName, &Named)> {
        let mut named: Vec<(&DomainName, &Named)> = self.named.iter().collect();
        named.sort_unstable_by_key(|(name, _)| *name);
        named
    }

    /// Takes an event.
    pub fn look_at(&mut self, event: &Event) {
        let evidence = Evidence::of(event);
        self.decisions = self.decisions.saturating_add(event.weight());
        match &mut self.span {
            Some(span) => span.add(&evidence),
            None => self.span = Some(evidence.clone()),
        }
        self.note_origin(event);
        match event.reason {
            Reason::Allowed
            | Reason::NameNotAllowed
            | Reason::PortNotAllowed
            | Reason::NoObservation
            | Reason::ObservationExpired
            | Reason::Ambiguous
            | Reason::ListenerNotReady => self.connection(event, &evidence),
            Reason::DeniedByRule => self.leave_out(Why::Denied, event, &evidence),
            Reason::PrivateAddress => self.leave_out(Why::PrivateAddress, event, &evidence),
            Reason::LocalService => self.leave_out(Why::LocalService, event, &evidence),
            Reason::ProtoNotAllowed => self.leave_out(Why::OtherProtocol, event, &evidence),
            Reason::ResolverNotTrusted => self.leave_out(Why::OtherResolver, event, &evidence),
            Reason::EncryptedDns => self.leave_out(Why::EncryptedDns, event, &evidence),
            Reason::QueryNotAllowed => self.leave_out(Why::Question, event, &evidence),
            Reason::AllowedNetwork
            | Reason::AllowedResolver
            | Reason::NotIntercepted
            | Reason::ClientNotCovered
            | Reason::UnaskedAnswer
            | Reason::Malformed
            | Reason::NotASyn
            | Reason::Overload
            | Reason::PolicyChanged => self.ignore(event),
        }
    }

    fn connection(&mut self, event: &Event, evidence: &Evidence) {
        if event.proto != "tcp" {
            return self.leave_out(Why::OtherProtocol, event, evidence);
        }
        match (&event.domain, event.dst_port) {
            (_, 0) => self.ignore(event),
            (_, DNS) => self.leave_out(Why::OtherResolver, event, evidence),
            (None, _) => self.leave_out(Why::NoName, event, evidence),
            (Some(_), _) if self.sets_private_apart && is_private(event) => {
                self.leave_out(Why::PrivateAddress, event, evidence);
            }
            (Some(name), _) if !is_for_rules(&NamePattern::from(name.clone())) => {
                self.leave_out(Why::OddName, event, evidence);
            }
            (Some(name), port) => self.keep(name, port, event, evidence),
        }
    }

    fn keep(&mut self, name: &DomainName, port: u16, event: &Event, evidence: &Evidence) {
        let has_room = self.pairs < PAIRS;
        if !has_room && !self.named.contains_key(name) {
            self.not_kept = self.not_kept.saturating_add(event.weight());
            return;
        }
        let named = self.named.entry(name.clone()).or_default();
        match self.neighbours.note(name, event.dst) {
            Noted::Kept => {}
            Noted::Crowded => named.crowded = self.neighbours.first(event.dst).cloned(),
            Noted::Unwatched => named.unwatched = true,
        }
        for other in event.also.iter().take(OTHERS) {
            self.neighbours.note(other, event.dst);
        }
        if let Some(known) = named.ports.get_mut(&port) {
            known.add(evidence);
        } else if named.ports.len() >= PORTS {
            named.many_ports = true;
            self.leave_out(Why::ManyPorts, event, evidence);
        } else if has_room {
            self.pairs += 1;
            named.ports.insert(port, evidence.clone());
        } else {
            self.not_kept = self.not_kept.saturating_add(event.weight());
        }
    }

    fn leave_out(&mut self, why: Why, event: &Event, evidence: &Evidence) {
        let (name, dst) = (event.domain.clone(), Some(event.dst));
        let port = Some(event.dst_port).filter(|port| *port != 0);
        let (domain, dst, port) = match why {
            Why::NoName | Why::OtherResolver | Why::EncryptedDns => (None, dst, port),
            Why::ManyPorts | Why::Question => (name, None, None),
            Why::PrivateAddress | Why::Denied | Why::OddName | Why::OtherProtocol | Why::LocalService => {
                let dst = if name.is_some() { None } else { dst };
                (name, dst, port)
            }
        };
        let rule = event.rule.as_ref().filter(|_| why == Why::Denied).map(|rule| harmless(rule.as_str()));
        self.places.take(Place { why, domain, dst, port, proto: harmless(&event.proto), rule }, evidence);
    }

    fn ignore(&mut self, event: &Event) {
        let count = self.ignored.entry(event.reason).or_default();
        *count = count.saturating_add(event.weight());
    }

    /// By which interfaces clients come in, and whether this host is one.
    fn note_origin(&mut self, event: &Event) {
        match &event.iface {
            Some(interface) => {
                if self.interfaces.kept().all(|known| known != interface) {
                    self.interfaces.take(interface.chars().take(16).collect());
                }
            }
            None => self.host |= event.who.uid.is_some(),
        }
    }
}

fn is_private(event: &Event) -> bool {
    Grounds { allow_private: false, is_here: false }.belief(event.dst) == Belief::Private
}
