use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::dns::{self, Belief, Outcome, Record as Observed};
use crate::model::{ClientId, DomainName, Mark, Moment, OtherNames, Reason, Transport, Verdict};
use crate::packet;
use crate::record::{DnsOutcome, PathTaken, Record};

use super::shared::Shared;
use super::worker::Handler;
use super::{Answer, HeldPacket, Hook};

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

    fn question(&self, packet: &impl HeldPacket, now: Moment) -> Result<Answer, DnsOutcome> {
        let datagram = packet::udp(packet.bytes()).map_err(|_| DnsOutcome::Malformed)?;
        let question = dns::question(datagram.payload).map_err(|_| DnsOutcome::Malformed)?;
        let mut pending = self.shared.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.insert(now, datagram.src, datagram.dst, &question);
        drop(pending);
        self.shared.counters.dns(DnsOutcome::Question).add(1);
        let marks = self.shared.published.load().policy.spec().marks;
        Ok(Answer::Accept { mark: (packet.mark() & marks.others()) | marks.direct().0 })
    }

    fn answer(&self, packet: &impl HeldPacket, now: Moment) -> Result<Answer, DnsOutcome> {
        let datagram = packet::udp(packet.bytes()).map_err(|_| DnsOutcome::Malformed)?;
        let answer = dns::answer(datagram.payload).map_err(|_| DnsOutcome::Malformed)?;
        let (client, resolver) = (datagram.dst, datagram.src);
        let mut pending = self.shared.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = pending.take(now, client, resolver, &answer.question);
        drop(pending);
        asked.map_err(|_| DnsOutcome::Unasked)?;
        let outcome = match &answer.outcome {
            Outcome::Addresses(found) if !found.is_empty() => {
                for address in found {
                    self.learn(
                        now,
                        client,
                        &answer.question.host().unwrap_or_else(|| unreachable!()),
                        address.addr,
                        address.ttl,
                    );
                }
                DnsOutcome::Learned
            }
            Outcome::Addresses(_) | Outcome::Nothing(_) => DnsOutcome::TaughtNothing,
        };
        self.shared.counters.dns(outcome).add(1);
        Ok(Answer::Pass)
    }

    fn learn(&self, now: Moment, client: SocketAddr, name: &DomainName, address: IpAddr, ttl: Duration) {
        let published = self.shared.published.load();
        let belief = self.shared.belief(address);
        let asker = ClientId(client.ip());
        let mut knowledge = self.shared.knowledge.about(address);
        let observed = knowledge.learn(now, asker, address, name.clone(), ttl, belief);
        drop(knowledge);
        self.save(observed);
        if belief == Belief::Private && published.policy.mentions(name) {
            self.report_private(now, client, name, address);
        }
    }

    fn save(&self, observed: Observed) {
        if self.shared.journal.try_send(observed).is_err() {
            self.shared.counters.lost_journal.add(1);
        }
    }

    fn report_private(&self, now: Moment, client: SocketAddr, name: &DomainName, address: IpAddr) {
        let record = Record {
            at: now,
            verdict: Verdict::Deny,
            reason: Reason::PrivateAddress,
            rule: None,
            domain: Some(name.clone()),
            also: OtherNames::new(),
            client,
            dst: SocketAddr::new(address, 0),
            transport: Transport::Udp,
            mark: Mark(0),
            in_interface: 0,
            path: PathTaken::Queue,
            waited: Duration::ZERO,
        };
        if self.shared.records.try_send(record).is_err() {
            self.shared.counters.lost_records.add(1);
        }
    }
}

impl Handler for DnsWorker {
    fn handle(&mut self, packet: &impl HeldPacket) -> Answer {
        let now = clock::now();
        let outcome = match packet.hook() {
            Hook::Prerouting => self.question(packet, now),
            Hook::Postrouting => self.answer(packet, now),
            Hook::Other(_) => Err(DnsOutcome::Malformed),
        };
        outcome.unwrap_or_else(|dropped| {
            self.shared.counters.dns(dropped).add(1);
            Answer::Drop
        })
    }

    fn settle(&mut self) {}
}
