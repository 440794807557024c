//! The real thing: bytes through the guard that learns from DNS, decisions, connections, a journal.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use decider::decide::decide;
use decider::dns::journal::{self, Header};
use decider::dns::{Flow, Flows, Held, Limits, Record as Observed};
use decider::model::{ClientId, Mark, Moment, Transport};
use decider::policy::{NameMatch, Policy, Route};
use decider::queue::{DnsGuard, Ends, Knowledge, Passage, Published, Readiness, Shared};
use decider::record::Record;

use crate::asked::Question;
use crate::compared::{GRACE, MIN_TTL, compile};
use crate::messages;
use crate::reference::{Decided, Reference};

/// decider without kernel and disk.
pub struct Real {
    shared: Arc<Shared>,
    guard: DnsGuard,
    events: Receiver<Record>,
    learned: Receiver<Observed>,
    /// What the journal holds.
    lines: Vec<String>,
    flows: Flows,
    /// The connections that the kernel knows, with their marks.
    living: Vec<(Flow, Mark)>,
    ports: u16,
}

impl Real {
    pub fn new(reference: &Reference) -> Self {
        let (records, events) = bounded(1_000);
        let (journal, learned) = bounded(1_000);
        let seconds = Duration::from_secs;
        let limits = Limits::new(10_000, seconds(MIN_TTL), seconds(86_400), seconds(GRACE));
        let shared = Arc::new(Shared::new(published(reference), Knowledge::new(limits), records, journal));
        let guard = DnsGuard::new(Arc::clone(&shared));
        let lines = vec![journal::encode_header(&header())];
        Self { shared, guard, events, learned, lines, flows: Flows::new(), living: vec![], ports: 40_000 }
    }

    pub fn ask(&self, question: &Question, now: Moment) -> Passage {
        let bytes = messages::question(question);
        self.guard.question(&self.shared.pending, &ends(question), &bytes, now)
    }

    pub fn answer(&mut self, question: &Question, addresses: &[IpAddr], ttl: u64, now: Moment) -> Passage {
        let bytes = messages::answer(question, addresses, ttl);
        let passage = self.guard.answer(&self.shared.pending, &ends(question), &bytes, now);
        self.lines.extend(self.learned.try_iter().map(|observed| journal::encode(&observed)));
        self.events.try_iter().for_each(drop);
        passage
    }

    /// Decides a connection; one that is let through lives from then on.
    pub fn connect(&mut self, client: IpAddr, addr: IpAddr, port: u16, now: Moment) -> Decided {
        let published = self.shared.published.load_full();
        let scope = published.policy.spec().dns.scope;
        let knowledge = self.shared.knowledge.about(addr);
        let known = knowledge.about(addr, ClientId(client), scope, now);
        let decision = decide(&published.policy, &known, client, port, |route| published.readiness.is_ready(route));
        let decided = Decided {
            verdict: decision.verdict,
            reason: decision.reason,
            rule: decision.rule.map(|rule| rule.as_str().to_owned()),
            name: decision.name.clone(),
            also: decision.also.to_vec(),
        };
        let route = decision.route.filter(|_| decision.verdict == decider::model::Verdict::Allow).map(|to| to.mark);
        drop(knowledge);
        if let Some(mark) = route {
            self.ports += 1;
            let flow = Flow { client: SocketAddr::new(client, self.ports), dst: SocketAddr::new(addr, port) };
            self.living.push((flow, mark));
            self.lives(flow, mark);
        }
        decided
    }

    /// A connection ends.
    pub fn end(&mut self, index: usize) {
        let (flow, _) = self.living.remove(index);
        let held = self.flows.end(flow);
        self.release(held.as_slice());
    }

    /// Everything but the journal and the kernel is forgotten.
    pub fn restart(&mut self, reference: &Reference, now: Moment) {
        let (lines, living) = (std::mem::take(&mut self.lines), std::mem::take(&mut self.living));
        *self = Self { ports: self.ports, ..Self::new(reference) };
        let text = lines.join("\n");
        let saved = journal::read(text.as_bytes(), &header(), now);
        assert_eq!((saved.damaged, saved.undated), (0, 0));
        let in_use: HashSet<IpAddr> = living.iter().map(|(flow, _)| flow.dst.ip()).collect();
        let held = saved.expired.into_iter().filter(|record| in_use.contains(&record.addr));
        for record in held.chain(saved.records) {
            let belief = self.shared.belief(record.addr);
            self.shared.knowledge.about(record.addr).restore(record, belief, now);
        }
        for part in self.shared.knowledge.parts() {
            self.lines.extend(part.iter().map(|record| journal::encode(&record)));
        }
        self.living.clone_from(&living);
        for (flow, mark) in living {
            self.lives(flow, mark);
        }
    }

    fn lives(&mut self, flow: Flow, mark: Mark) {
        let published = self.shared.published.load_full();
        let policy = &published.policy;
        let leads = |name: &_| matches!(policy.lookup(name, flow.dst.port()), NameMatch::Allow(to) if to.mark == mark);
        let (client, addr, scope) = (ClientId(flow.client.ip()), flow.dst.ip(), policy.spec().dns.scope);
        let knowledge = &self.shared.knowledge;
        let released = self.flows.begin(flow, mark, || knowledge.about(addr).hold(client, addr, scope, leads));
        self.release(&released);
    }

    fn release(&self, held: &[Held]) {
        for held in held {
            self.shared.knowledge.about(held.addr).release(held);
        }
    }
}

fn published(reference: &Reference) -> Published {
    let policy: Policy = compile(reference);
    let readiness = Readiness::none_of(policy.routes().len());
    let is_up = |route: &&Route| reference.lines.iter().any(|line| line.id() == route.rule.id.as_str() && line.ready);
    for route in policy.routes().iter().filter(is_up) {
        readiness.set(route, true);
    }
    Published { policy, readiness }
}

fn ends(question: &Question) -> Ends {
    let Question { client, resolver, .. } = *question;
    Ends { client, resolver, transport: Transport::Udp, in_interface: 3, uid: None }
}

/// One boot, and a wall clock that nobody sets.
fn header() -> Header {
    Header::new("2f9c0c52-76f5-4d0a-9a3c-1d3f7f6c5c01", Duration::from_secs(1_700_000_000), Moment::ZERO)
}

/// Where everybody asks.
pub const RESOLVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 53)), 53);
/// Where nobody does.
pub const LIAR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 54)), 53);
