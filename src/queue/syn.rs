use std::sync::Arc;
use std::time::Duration;

use arc_swap::Cache;

use crate::clock;
use crate::decide::decide;
use crate::model::{ClientId, Mark, Moment, OtherNames, Reason, Transport, Verdict};
use crate::packet::{self, PacketError, Syn};
use crate::record::{PathTaken, Record};

use super::fault;
use super::recent::RecentSyns;
use super::shared::{Published, Shared};
use super::worker::Handler;
use super::{Answer, HeldPacket};

/// SYNs that a worker remembers, to tell a retransmission from a new one.
const REMEMBERED: usize = 16_384;

/// Decides SYNs: the packet path. No allocation, no lock but that of one part of the cache, no logging.
pub struct SynWorker {
    shared: Arc<Shared>,
    published: Cache<Arc<arc_swap::ArcSwap<Published>>, Arc<Published>>,
    recent: RecentSyns,
    unsettled: Option<Record>,
}

impl SynWorker {
    /// A worker that decides by what is published in `shared`.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        let published = Cache::new(Arc::clone(&shared.published));
        Self { shared, published, recent: RecentSyns::new(REMEMBERED), unsettled: None }
    }

    fn decide(&mut self, syn: Syn, packet: &impl HeldPacket, now: Moment) -> Answer {
        let published = self.published.load();
        let policy = &published.policy;
        let spec = policy.spec();
        let client = ClientId(syn.client.ip());
        let knowledge = self.shared.knowledge.about(syn.dst.ip());
        let known = knowledge.about(syn.dst.ip(), client, spec.dns.scope, now);
        let decision = decide(policy, &known, syn.dst.port(), |route| published.readiness.is_ready(route));
        drop(knowledge);
        self.shared.counters.count(decision.verdict);
        let mark = decision.mark(spec.marks);
        self.unsettled = Some(Record {
            at: now,
            verdict: decision.verdict,
            reason: decision.reason,
            rule: decision.rule.cloned(),
            domain: decision.name,
            also: decision.also,
            client: syn.client,
            dst: syn.dst,
            transport: Transport::Tcp,
            mark,
            in_interface: packet.in_interface(),
            path: PathTaken::Queue,
            waited: Duration::ZERO,
        });
        let answer = Answer::Accept { mark: (packet.mark() & spec.marks.others()) | mark.0 };
        self.recent.remember(syn, answer, now);
        answer
    }

    /// The answer of before; counted like it, but recorded only once.
    fn repeat(&self, answer: Answer) -> Answer {
        let deny = self.shared.published.load().policy.spec().marks;
        let verdict = match answer {
            Answer::Accept { mark } if mark & deny.bits() == deny.deny().0 => Verdict::Deny,
            Answer::Accept { mark } if mark & deny.bits() == 0 => Verdict::Audit,
            Answer::Accept { .. } | Answer::Pass => Verdict::Allow,
            Answer::Drop => Verdict::Deny,
        };
        self.shared.counters.count(verdict);
        self.shared.counters.repeated_syns.add(1);
        answer
    }

    /// What cannot be read is refused: in audit mode too, since nobody can say what it is.
    fn refuse(&mut self, error: &PacketError, packet: &impl HeldPacket, now: Moment) -> Answer {
        self.shared.counters.malformed.add(1);
        let unknown = std::net::SocketAddr::from(([0, 0, 0, 0], 0));
        let summary = packet::summary(packet.bytes()).ok();
        let (client, dst) = summary.map_or((unknown, unknown), |summary| summary.ends());
        let spec = self.published.load().policy.spec();
        let mark = spec.marks.deny();
        self.unsettled = Some(Record {
            at: now,
            verdict: Verdict::Deny,
            reason: match error.reason() {
                Reason::NotASyn => Reason::NotASyn,
                _ => Reason::Malformed,
            },
            rule: None,
            domain: None,
            also: OtherNames::new(),
            client,
            dst,
            transport: Transport::Tcp,
            mark: Mark(mark.0),
            in_interface: packet.in_interface(),
            path: PathTaken::Queue,
            waited: Duration::ZERO,
        });
        Answer::Accept { mark: (packet.mark() & spec.marks.others()) | mark.0 }
    }
}

impl Handler for SynWorker {
    fn handle(&mut self, packet: &impl HeldPacket) -> Answer {
        let now = clock::now();
        match packet::syn(packet.bytes()) {
            Ok(syn) => {
                fault::on_syn(syn.dst.port());
                match self.recent.answer_to(&syn, now) {
                    Some(answer) => self.repeat(answer),
                    None => self.decide(syn, packet, now),
                }
            }
            Err(error) => self.refuse(&error, packet, now),
        }
    }

    fn settle(&mut self) {
        if let Some(mut record) = self.unsettled.take() {
            record.waited = clock::now().since(record.at);
            if self.shared.records.try_send(record).is_err() {
                self.shared.counters.lost_records.add(1);
            }
        }
    }
}
