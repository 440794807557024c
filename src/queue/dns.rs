use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::dns::{self, Belief, Found, Outcome, Pending, Record as Observed};
use crate::model::{ClientId, DomainName, Mark, Moment, OtherNames, Reason, Transport};
use crate::packet;
use crate::policy::Mode;
use crate::record::{DnsOutcome, PathTaken, Record};

use super::shared::Shared;
use super::worker::Handler;
use super::{Answer, HeldPacket, Hook};

/// Where a packet without a readable IP header is from and goes to.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Watches questions on their way out and answers on their way in. An answer goes on to its client only after
/// what it teaches is in the cache, so the client cannot connect before decider knows.
pub struct DnsWorker {
    shared: Arc<Shared>,
}

impl DnsWorker {
    /// A worker that learns into `shared`.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    fn question(&self, packet: &impl HeldPacket, now: Moment) -> DnsOutcome {
        let Ok(datagram) = packet::udp(packet.bytes()) else { return DnsOutcome::Malformed };
        let Ok(question) = dns::question(datagram.payload) else { return DnsOutcome::Malformed };
        self.pending().insert(now, datagram.src, datagram.dst, &question);
        DnsOutcome::Question
    }

    fn answer(&self, packet: &impl HeldPacket, now: Moment) -> DnsOutcome {
        let Ok(datagram) = packet::udp(packet.bytes()) else { return DnsOutcome::Malformed };
        let Ok(answer) = dns::answer(datagram.payload) else { return DnsOutcome::Malformed };
        let (client, resolver) = (datagram.dst, datagram.src);
        if self.pending().take(now, client, resolver, &answer.question).is_err() {
            return DnsOutcome::Unasked;
        }
        match answer.outcome {
            Outcome::Addresses { name, found } => {
                self.learn(now, client, &name, &found);
                DnsOutcome::Learned
            }
            Outcome::Nothing(_) => DnsOutcome::TaughtNothing,
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.shared.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, now: Moment, client: SocketAddr, name: &DomainName, found: &[Found]) {
        let mut private = None;
        for &Found { addr, ttl } in found {
            let belief = self.shared.belief(addr);
            let mut knowledge = self.shared.knowledge.about(addr);
            let observed = knowledge.learn(now, ClientId(client.ip()), addr, name.clone(), ttl, belief);
            drop(knowledge);
            self.save(observed);
            match belief {
                Belief::Believed => {}
                Belief::Private => private = private.or(Some(addr)),
            }
        }
        if let Some(addr) = private.filter(|_| self.shared.published.load().policy.mentions(name)) {
            let ends = (client, SocketAddr::new(addr, 0));
            self.report(now, Reason::PrivateAddress, ends, Some(name.clone()), 0);
        }
    }

    /// What becomes of a packet. Audit lets everything through; nothing is learned from what enforce would drop.
    fn verdict(&self, outcome: DnsOutcome, packet: &impl HeldPacket) -> Answer {
        let published = self.shared.published.load();
        let spec = published.policy.spec();
        match (outcome, spec.mode) {
            (DnsOutcome::Question, _) => {
                Answer::Accept { mark: (packet.mark() & spec.marks.others()) | spec.marks.direct().0 }
            }
            (DnsOutcome::Learned | DnsOutcome::TaughtNothing, _)
            | (DnsOutcome::Unasked | DnsOutcome::Malformed, Mode::Audit) => Answer::Pass,
            (DnsOutcome::Unasked | DnsOutcome::Malformed, Mode::Enforce) => Answer::Drop,
        }
    }

    fn report_malformed(&self, packet: &impl HeldPacket, now: Moment) {
        let ends = packet::summary(packet.bytes()).map_or((NOWHERE, NOWHERE), |summary| summary.ends());
        let (from, to) = ends;
        let ends = match packet.hook() {
            Hook::Prerouting | Hook::Other(_) => (from, to),
            // The client is who the answer is for.
            Hook::Postrouting => (to, from),
        };
        self.report(now, Reason::Malformed, ends, None, packet.in_interface());
    }

    fn save(&self, observed: Observed) {
        if self.shared.journal.try_send(observed).is_err() {
            self.shared.counters.lost_journal.add(1);
        }
    }

    fn report(
        &self,
        now: Moment,
        reason: Reason,
        (client, dst): (SocketAddr, SocketAddr),
        domain: Option<DomainName>,
        in_interface: u32,
    ) {
        self.shared.report(Record {
            at: now,
            verdict: self.shared.published.load().policy.spec().mode.refusal(),
            reason,
            rule: None,
            domain,
            also: OtherNames::new(),
            client,
            dst,
            transport: Transport::Udp,
            mark: Mark(0),
            in_interface,
            path: PathTaken::Queue,
            waited: Duration::ZERO,
        });
    }
}

impl Handler for DnsWorker {
    fn handle(&mut self, packet: &impl HeldPacket) -> Answer {
        let now = clock::now();
        let outcome = match packet.hook() {
            Hook::Prerouting => self.question(packet, now),
            Hook::Postrouting => self.answer(packet, now),
            Hook::Other(_) => DnsOutcome::Malformed,
        };
        self.shared.counters.dns(outcome).add(1);
        if outcome == DnsOutcome::Malformed {
            self.report_malformed(packet, now);
        }
        self.verdict(outcome, packet)
    }

    fn settle(&mut self) {}
}
