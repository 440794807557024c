//! The model of connections: each holds a name for its client as long as it lives.

use std::net::IpAddr;

use decider::dns::Belief;
use decider::model::{DomainName, Scope};

use crate::reference::{Behind, Reference};

/// A connection that lives.
#[derive(Clone, Debug)]
pub struct Living {
    pub client: IpAddr,
    pub addr: IpAddr,
    pub port: u16,
    /// The rule that let it through.
    pub rule: String,
    holds: Option<Holding>,
}

#[derive(Clone, Debug)]
struct Holding {
    name: DomainName,
    borrowed: bool,
}

/// A name of one address that another client asked for and flows of this one hold.
#[derive(Clone, Debug)]
pub struct Borrowed {
    client: IpAddr,
    addr: IpAddr,
    pub name: DomainName,
    /// The place of the observation among all, when it was borrowed last.
    pub number: usize,
}

impl Reference {
    /// A connection was let through.
    pub fn begins(&mut self, client: IpAddr, addr: IpAddr, port: u16, rule: String) {
        let holds = self.holding(client, addr, port, &rule);
        self.living.push(Living { client, addr, port, rule, holds });
    }

    /// It has ended.
    pub fn ends(&mut self, index: usize) {
        self.living.remove(index);
        self.forget_what_nothing_holds();
    }

    /// decider starts again: it knows what was saved and still counts, or is about an address where connections go, and
    /// sees which connections there are.
    pub fn restarts(&mut self, now: u64) {
        let living = std::mem::take(&mut self.living);
        let in_use: Vec<IpAddr> = living.iter().map(|flow| flow.addr).collect();
        let observed = std::mem::take(&mut self.observed);
        let is_kept = |addr, expires| expires > now || in_use.contains(&addr);
        self.observed = observed
            .into_iter()
            .filter(|observed| self.mentions(&observed.name) && is_kept(observed.addr, observed.expires))
            .collect();
        self.borrowed.clear();
        for flow in living {
            self.begins(flow.client, flow.addr, flow.port, flow.rule);
        }
    }

    /// Whether a connection of the client holds its own observation of that name.
    pub fn holds(&self, client: IpAddr, addr: IpAddr, name: &DomainName) -> bool {
        self.is_held(client, addr, name, false)
    }

    /// What connections of the client hold that others asked, the newest first.
    pub fn borrowed(&self, client: IpAddr, addr: IpAddr) -> Vec<DomainName> {
        let mut found: Vec<&Borrowed> =
            self.borrowed.iter().filter(|borrowed| borrowed.client == client && borrowed.addr == addr).collect();
        found.sort_by_key(|borrowed| std::cmp::Reverse(borrowed.number));
        found.into_iter().map(|borrowed| borrowed.name.clone()).collect()
    }

    fn is_held(&self, client: IpAddr, addr: IpAddr, name: &DomainName, borrowed: bool) -> bool {
        self.living.iter().filter(|flow| flow.client == client && flow.addr == addr).any(|flow| {
            flow.holds.as_ref().is_some_and(|holding| holding.name == *name && holding.borrowed == borrowed)
        })
    }

    /// The newest of its own names that leads to the rule, else the newest of anybody's.
    fn holding(&mut self, client: IpAddr, addr: IpAddr, port: u16, rule: &str) -> Option<Holding> {
        let leads = |behind: &Behind| {
            let line = self.line(&behind.name, port);
            behind.belief == Belief::Believed && line.is_some_and(|line| line.allow && line.id() == rule)
        };
        if let Some(own) = self.newest(addr, |who| who == client).into_iter().find(leads) {
            return Some(Holding { name: own.name, borrowed: false });
        }
        if self.scope == Scope::Client {
            return None;
        }
        let Behind { name, number, .. } = self.newest(addr, |_| true).into_iter().find(leads)?;
        self.borrowed.retain(|known| (known.client, known.addr, &known.name) != (client, addr, &name));
        self.borrowed.push(Borrowed { client, addr, name: name.clone(), number });
        Some(Holding { name, borrowed: true })
    }

    fn forget_what_nothing_holds(&mut self) {
        let borrowed = std::mem::take(&mut self.borrowed);
        self.borrowed = borrowed.into_iter().filter(|it| self.is_held(it.client, it.addr, &it.name, true)).collect();
    }
}
