//! The model: every observation that was ever made in one list, every rule in another.

use std::net::IpAddr;

use decider::dns::Belief;
use decider::model::{DomainName, Reason, Scope, Verdict};
use decider::policy::{Mode, OnAmbiguous};

use crate::flows::{Borrowed, Living};

/// An observation.
#[derive(Clone, Debug)]
pub struct Observed {
    pub client: IpAddr,
    pub addr: IpAddr,
    pub name: DomainName,
    /// Its place in the order of all that was learned.
    pub number: usize,
    pub expires: u64,
    pub belief: Belief,
}

/// What the rules say of one name, or of all below one, on one port; a pattern and a port have one rule at most.
#[derive(Clone, Debug)]
pub struct Line {
    /// A name, or `*.` and a name.
    pub about: String,
    pub port: u16,
    pub allow: bool,
    /// Whether its listener is up.
    pub ready: bool,
}

impl Line {
    pub fn id(&self) -> String {
        format!("{}:{}", self.about, self.port)
    }

    pub fn means(&self, name: &DomainName) -> bool {
        match self.about.strip_prefix('*') {
            Some(below) => name.as_str().ends_with(below),
            None => name.as_str() == self.about,
        }
    }
}

/// All that a decision depends on.
#[derive(Clone, Debug)]
pub struct Reference {
    pub lines: Vec<Line>,
    pub mode: Mode,
    pub scope: Scope,
    pub on_ambiguous: OnAmbiguous,
    pub observed: Vec<Observed>,
    /// The connections that live, and what they hold that others asked.
    pub living: Vec<Living>,
    pub borrowed: Vec<Borrowed>,
}

/// A decision, in words that both sides have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    pub verdict: Verdict,
    pub reason: Reason,
    pub rule: Option<String>,
    pub name: Option<DomainName>,
    pub also: Vec<DomainName>,
}

/// A name behind an address: its newest observation, and until when any of them lives.
#[derive(Clone, Debug)]
pub struct Behind {
    pub name: DomainName,
    pub number: usize,
    expires: u64,
    pub belief: Belief,
}

impl Reference {
    pub fn decide(&self, client: IpAddr, addr: IpAddr, port: u16, now: u64) -> Decided {
        let mut own = self.behind(addr, |observed| observed.client == client);
        for behind in own.iter_mut().filter(|behind| self.holds(client, addr, &behind.name)) {
            behind.expires = u64::MAX;
        }
        let all = match self.scope {
            Scope::Shared => self.behind(addr, |_| true),
            Scope::Client => vec![],
        };
        let is_own = own.iter().any(|behind| behind.expires > now);
        let counting = if is_own { &own } else { &all };
        let live: Vec<&Behind> = counting.iter().filter(|behind| behind.expires > now).collect();
        let mut believed: Vec<&DomainName> =
            live.iter().filter(|behind| behind.belief == Belief::Believed).map(|behind| &behind.name).collect();
        let borrowed = if is_own || self.scope == Scope::Client { vec![] } else { self.borrowed(client, addr) };
        for name in &borrowed {
            if !believed.contains(&name) {
                believed.push(name);
            }
        }
        let private = live.iter().find(|behind| behind.belief == Belief::Private);
        let expired = own.iter().chain(&all).find(|behind| behind.expires <= now);

        let enforced = self.by_rules(&believed, is_own, port).unwrap_or_else(|| {
            let (reason, name) = match (private, expired) {
                (Some(behind), _) => (Reason::PrivateAddress, Some(&behind.name)),
                (None, Some(behind)) => (Reason::ObservationExpired, Some(&behind.name)),
                (None, None) => (Reason::NoObservation, None),
            };
            deny(reason, None, name)
        });
        match (self.mode, enforced.verdict) {
            (Mode::Audit, Verdict::Deny) => Decided { verdict: Verdict::Audit, ..enforced },
            (Mode::Audit | Mode::Enforce, _) => enforced,
        }
    }

    /// Whether a rule is about a name, on whatever port.
    pub fn mentions(&self, name: &DomainName) -> bool {
        self.lines.iter().any(|line| line.means(name))
    }

    /// What the rules say of the names that are believed, the newest first; nothing if there is none.
    fn by_rules(&self, believed: &[&DomainName], is_own: bool, port: u16) -> Option<Decided> {
        let lines: Vec<(&DomainName, &Line)> =
            believed.iter().filter_map(|&name| Some((name, self.line(name, port)?))).collect();
        let denying = lines.iter().find(|(_, line)| !line.allow);
        let allowing: Vec<_> = lines.iter().copied().filter(|(_, line)| line.allow).collect();
        match (denying, allowing.split_first()) {
            (Some((name, line)), allowed) if is_own || allowed.is_none() => {
                Some(deny(Reason::DeniedByRule, Some(line), Some(name)))
            }
            (_, Some((&first, others))) => Some(self.allow(first, others)),
            (_, None) => {
                let mentioned = |name: &&&DomainName| self.mentions(name);
                let other_port = believed.iter().find(mentioned).map(|name| (Reason::PortNotAllowed, name));
                let unknown = believed.first().map(|name| (Reason::NameNotAllowed, name));
                other_port.or(unknown).map(|(reason, name)| deny(reason, None, Some(name)))
            }
        }
    }

    /// Of the lines that mean a name on a port: any that denies, else any; of several, the name's own, else the longest.
    pub fn line(&self, name: &DomainName, port: u16) -> Option<&Line> {
        let narrow = |line: &&Line| (!line.allow, !line.about.starts_with('*'), line.about.len());
        self.lines.iter().filter(|line| line.means(name) && line.port == port).max_by_key(narrow)
    }

    /// Each line has a route of its own, so two of them are two routes.
    fn allow(&self, (name, first): (&DomainName, &Line), others: &[(&DomainName, &Line)]) -> Decided {
        let routes_differ = others.iter().any(|(_, line)| line.id() != first.id());
        let (verdict, reason) = if routes_differ && self.on_ambiguous == OnAmbiguous::Deny {
            (Verdict::Deny, Reason::Ambiguous)
        } else if first.ready {
            (Verdict::Allow, Reason::Allowed)
        } else {
            (Verdict::Deny, Reason::ListenerNotReady)
        };
        let also = others.iter().map(|(name, _)| (*name).clone()).take(4).collect();
        Decided { verdict, reason, rule: Some(first.id()), name: Some(name.clone()), also }
    }

    /// The names of an address, the one that was asked for last first.
    pub fn newest(&self, addr: IpAddr, whose: impl Fn(IpAddr) -> bool) -> Vec<Behind> {
        let mut names = self.behind(addr, |observed| whose(observed.client));
        names.sort_by_key(|behind| std::cmp::Reverse(behind.number));
        names
    }

    /// The names of an address: those with rules first, and of each kind the one that was asked for last first.
    fn behind(&self, addr: IpAddr, whose: impl Fn(&Observed) -> bool) -> Vec<Behind> {
        let mut names: Vec<Behind> = Vec::new();
        for observed in self.observed.iter().filter(|observed| observed.addr == addr && whose(observed)) {
            let known = names.iter().position(|behind| behind.name == observed.name).map(|index| names.remove(index));
            names.push(Behind {
                name: observed.name.clone(),
                number: observed.number,
                expires: observed.expires.max(known.map_or(0, |known| known.expires)),
                belief: observed.belief,
            });
        }
        names.sort_by_key(|behind| (!self.mentions(&behind.name), std::cmp::Reverse(behind.number)));
        names
    }
}

fn deny(reason: Reason, line: Option<&Line>, name: Option<&DomainName>) -> Decided {
    Decided { verdict: Verdict::Deny, reason, rule: line.map(Line::id), name: name.cloned(), also: vec![] }
}
