use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::Cache;

use crate::clock;
use crate::decide::decide;
use crate::fast::Key;
use crate::model::{Mark, Moment, OtherNames, Transport, Verdict};
use crate::packet::{self, PacketError, Summary, Syn};
use crate::policy::Mode;
use crate::record::{PathTaken, Record};

use super::fault;
use super::netlink::MOST_TOGETHER;
use super::recent::{Decided, REMEMBERED, RecentSyns};
use super::shared::{Published, Shared};
use super::worker::Handler;
use super::{Answer, HeldPacket, Hook};

/// What is told of a packet without a readable IP header.
const UNREADABLE: Summary = {
    let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    Summary { client: nowhere, dst: nowhere, transport: Transport::Tcp }
};

/// Decides SYNs: the packet path. No allocation, no lock but that of one part of the cache, no logging.
pub struct SynWorker {
    shared: Arc<Shared>,
    published: Cache<Arc<arc_swap::ArcSwap<Published>>, Arc<Published>>,
    recent: RecentSyns,
    /// Of the packets that came together, until they have their verdicts.
    unsettled: Vec<Record>,
}

impl SynWorker {
    /// A worker that decides by what is published in `shared`.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        let published = Cache::new(Arc::clone(&shared.published));
        Self { shared, published, recent: RecentSyns::new(REMEMBERED), unsettled: Vec::with_capacity(MOST_TOGETHER) }
    }

    fn decide(&mut self, syn: Syn, packet: &impl HeldPacket, now: Moment) -> Mark {
        let published = self.published.load();
        let basis = published.basis();
        if let Some(decided) = self.recent.find(&syn, basis, now) {
            self.shared.counters.count(decided.verdict);
            self.shared.counters.repeated_syns.add(1);
            return decided.mark;
        }
        let policy = &published.policy;
        let spec = policy.spec();
        let client = self.shared.client(syn.client.ip());
        let knowledge = self.shared.knowledge.about(syn.dst.ip());
        let known = knowledge.about(syn.dst.ip(), client, spec.dns.scope, now);
        let decision =
            decide(policy, &known, syn.client.ip(), syn.dst.port(), |route| published.readiness.is_ready(route));
        drop(knowledge);
        let (verdict, mark) = (decision.verdict, decision.mark(spec.marks));
        self.shared.counters.count(verdict);
        self.unsettled.push(Record {
            at: now,
            verdict,
            reason: decision.reason,
            rule: decision.rule.cloned(),
            domain: decision.name,
            also: decision.also,
            client: syn.client,
            dst: syn.dst,
            transport: Transport::Tcp,
            mark,
            in_interface: packet.in_interface(),
            uid: packet.uid(),
            path: PathTaken::Queue,
            waited: Duration::ZERO,
        });
        if verdict == Verdict::Allow && packet.hook() == Hook::Prerouting {
            self.shared.fast.ask(Key { client: syn.client.ip(), dst: syn.dst.ip(), port: syn.dst.port() });
        }
        self.recent.remember(syn, Decided { verdict, mark, basis }, now);
        mark
    }

    /// What cannot be read is refused. Audit lets it through like anything else.
    fn refuse(&mut self, error: PacketError, packet: &impl HeldPacket, now: Moment) -> Mark {
        self.shared.counters.malformed.add(1);
        let spec = self.published.load().policy.spec();
        let mark = match spec.mode {
            Mode::Enforce => spec.marks.deny(),
            Mode::Audit => Mark(0),
        };
        let Summary { client, dst, transport } = packet::summary(packet.bytes()).unwrap_or(UNREADABLE);
        self.unsettled.push(Record {
            at: now,
            verdict: spec.mode.refusal(),
            reason: error.reason(),
            rule: None,
            domain: None,
            also: OtherNames::new(),
            client,
            dst,
            transport,
            mark,
            in_interface: packet.in_interface(),
            uid: packet.uid(),
            path: PathTaken::Queue,
            waited: Duration::ZERO,
        });
        mark
    }

    /// What becomes of a packet that came at this moment.
    pub fn judge(&mut self, packet: &impl HeldPacket, now: Moment) -> Answer {
        let mark = match packet::syn(packet.bytes()) {
            Ok(syn) => {
                fault::on_syn(syn.dst.port());
                self.decide(syn, packet, now)
            }
            Err(error) => self.refuse(error, packet, now),
        };
        let others = packet.mark() & self.published.load().policy.spec().marks.others();
        Answer::Accept { mark: others | mark.0 }
    }

    /// Sends off what there is to record of them; their verdicts were given at this moment.
    pub fn report(&mut self, now: Moment) {
        for mut record in self.unsettled.drain(..) {
            record.waited = now.since(record.at);
            self.shared.report(record);
        }
    }
}

impl Handler for SynWorker {
    fn handle(&mut self, packet: &impl HeldPacket) -> Answer {
        self.judge(packet, clock::now())
    }

    fn settle(&mut self) {
        self.report(clock::now());
    }
}
