use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};

use crate::dns::{Flow, Limits, Pending, PendingLimits};
use crate::model::{Mark, Moment, Reason, Transport};
use crate::packet::{self, PacketError, Segment, Summary, Syn};
use crate::policy::Policy;
use crate::queue::{
    Answer, DnsGuard, DnsWorker, Holder, Hook, Knowledge, Published, Readiness, RefusedPacket, Replies, Shared,
    SynWorker, refusal,
};
use crate::record::Record;

use super::capture::Captured;
use super::clients::Clients;
use super::dns_stream::DnsStreams;
use super::flows::{Ends, Flows};
use super::gate::{DNS, First, Gate, gate};
use super::held::Held;
use super::link::{self, NoIp};
use super::totals::Totals;

mod datagrams;

/// Records that one packet can give at most: a segment of a DNS stream may hold many messages.
const CHANNEL: usize = 65_536;

/// Plays captured packets to the workers of a policy of its own, whose listeners are all up.
pub struct Player {
    shared: Arc<Shared>,
    records: Receiver<Record>,
    syns: SynWorker,
    dns: DnsWorker<Nobody>,
    guard: DnsGuard,
    holder: Holder,
    clients: Clients,
    flows: Flows,
    streams: DnsStreams,
    /// Questions that would not have gone on: what the capture has as their answers would never have come.
    withheld: Pending,
    totals: Totals,
}

/// What decider would have answered by itself is sent to nobody.
struct Nobody;

impl Replies for Nobody {
    fn send(&self, _: SocketAddr, _: SocketAddr, _: &[u8], _: Mark) -> io::Result<()> {
        Ok(())
    }
}

impl Player {
    /// Nothing has been played yet, so no name is known.
    #[must_use]
    pub fn new(policy: Policy, clients: Clients) -> Self {
        let dns = &policy.spec().dns;
        let knowledge = Knowledge::new(Limits::new(dns.capacity, dns.min_ttl, dns.max_ttl, dns.grace));
        let readiness = Readiness::none_of(policy.routes().len());
        policy.routes().iter().for_each(|route| readiness.set(route, true));
        let (sender, records) = bounded(CHANNEL);
        // Nobody saves what is learned here.
        let (journal, _) = bounded(0);
        let shared = Arc::new(Shared::new(Published { policy, readiness }, knowledge, sender, journal));
        shared.whereabouts.set(clients.here().to_vec());
        Self {
            records,
            syns: SynWorker::new(Arc::clone(&shared)),
            dns: DnsWorker::new(Arc::clone(&shared), Nobody),
            guard: DnsGuard::new(Arc::clone(&shared)),
            holder: Holder::new(Arc::clone(&shared)),
            shared,
            clients,
            flows: Flows::new(),
            streams: DnsStreams::new(),
            withheld: Pending::new(PendingLimits::default()),
            totals: Totals::default(),
        }
    }

    /// Plays a packet, and gives the decisions that are made of it to `emit`.
    pub fn play(&mut self, captured: &Captured<'_>, mut emit: impl FnMut(Record)) {
        self.totals.packet(captured.at);
        match link::ip(captured.link, captured.bytes) {
            Ok(bytes) => self.packet(bytes, captured.is_cut, captured.at),
            Err(NoIp::Other) => self.totals.no_ip += 1,
            Err(NoIp::Cut) => self.totals.unreadable += 1,
            Err(NoIp::UnknownLink(link)) => *self.totals.unknown_links.entry(link).or_default() += 1,
        }
        for record in self.records.try_iter() {
            self.totals.decision(&record);
            emit(record);
        }
    }

    /// What was found so far.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The same at the end.
    #[must_use]
    pub fn into_totals(self) -> Totals {
        self.totals
    }

    /// The capture ends within a packet.
    pub fn is_cut_off(&mut self) {
        self.totals.cut_off = true;
    }

    fn packet(&mut self, bytes: &[u8], is_cut: bool, now: Moment) {
        let Ok(summary) = packet::summary(bytes) else {
            self.totals.unreadable += 1;
            return;
        };
        let syn = packet::syn(bytes);
        match (summary.transport, syn) {
            // The kernel puts them together before anybody is asked.
            (_, Err(PacketError::Fragment)) => self.totals.fragments += 1,
            (Transport::Tcp, Ok(syn)) => self.syn(syn, bytes, now),
            (Transport::Tcp, Err(PacketError::NotASyn)) => match packet::segment(bytes) {
                Ok(segment) => self.segment(&segment, bytes, now),
                Err(_) => self.totals.unreadable += 1,
            },
            (Transport::Tcp, Err(error)) => self.damaged(error, &summary, bytes, now),
            (Transport::Udp, _) => self.datagram(&summary, bytes, is_cut, now),
            (Transport::Icmp | Transport::Other(_), _) => self.other(&summary, bytes, now),
        }
    }

    fn syn(&mut self, syn: Syn, bytes: &[u8], now: Moment) {
        let ends = Ends { transport: Transport::Tcp, src: syn.client, dst: syn.dst };
        if self.flows.has_begun(&ends, syn.seq) {
            return;
        }
        self.holder.end(flow(&ends));
        self.flows.begin(ends, Some(syn.seq), now);
        match self.gate(&ends, None, true) {
            Some(Gate::Queued) => self.queued(&ends, bytes, now),
            Some(Gate::Asks) => self.streams.begin(ends, syn.seq),
            Some(Gate::Refused(reason)) => self.refuse(reason, bytes, now),
            Some(Gate::Passes) => {}
            None => self.totals.other(syn.client.ip()),
        }
    }

    fn queued(&mut self, ends: &Ends, bytes: &[u8], now: Moment) {
        let answer = self.syns.judge(&Held { bytes, hook: Hook::Prerouting }, now);
        self.syns.report(now);
        if let Answer::Accept { mark } = answer {
            self.holder.begin(flow(ends), Mark(mark));
        }
    }

    fn segment(&mut self, segment: &Segment<'_>, bytes: &[u8], now: Moment) {
        let ends = Ends { transport: Transport::Tcp, src: segment.src, dst: segment.dst };
        let Some((ends, way)) = self.flows.find(ends, now) else {
            return self.of_unknown(segment, ends, bytes, now);
        };
        if self.streams.put(&ends, way, segment, (&self.guard, now)).is_err() {
            self.totals.incomplete += 1;
        }
        let is_over = segment.is_fin() && self.flows.close(&ends, way);
        if segment.is_reset() || is_over {
            self.streams.end(&ends);
            self.holder.end(flow(&ends));
        }
    }

    /// A segment of a connection whose beginning is not in the capture; or one that is of none, by its flags.
    fn of_unknown(&mut self, segment: &Segment<'_>, ends: Ends, bytes: &[u8], now: Moment) {
        if segment.is_ack() || segment.is_reset() {
            let answers = segment.is_syn();
            let ends = if answers { Ends { src: ends.dst, dst: ends.src, ..ends } } else { ends };
            self.flows.begin(ends, None, now);
            if self.covers(ends.src) || self.covers(ends.dst) {
                self.totals.begun_before += 1;
            }
            return;
        }
        if let Some(Gate::Refused(reason)) = self.gate(&ends, None, false) {
            self.refuse(reason, bytes, now);
        }
    }

    fn damaged(&mut self, error: PacketError, summary: &Summary, bytes: &[u8], now: Moment) {
        // These the kernel lets through to whoever decides.
        let reaches_a_worker =
            matches!(error, PacketError::SourceRoute | PacketError::Extensions | PacketError::MappedAddress);
        if reaches_a_worker && self.covers(summary.client) {
            self.syns.judge(&Held { bytes, hook: Hook::Prerouting }, now);
            self.syns.report(now);
        } else {
            self.totals.unreadable += 1;
        }
    }

    fn refuse(&self, reason: Reason, bytes: &[u8], now: Moment) {
        let refused = RefusedPacket { reason, bytes, in_interface: 0, uid: None };
        self.shared.report(refusal(&refused, &self.shared, now));
    }

    /// What the ruleset makes of what begins; none if the policy is not for whoever sends it.
    fn gate(&mut self, ends: &Ends, icmp: Option<u8>, is_syn: bool) -> Option<Gate> {
        let published = self.shared.published.load();
        let spec = published.policy.spec();
        let (client, dst) = (ends.src, ends.dst);
        if dst.port() == DNS && spec.dns.resolvers.contains(&dst.ip()) {
            self.clients.asks(client.ip());
        }
        let is_local = self.clients.is_local(spec, client.ip());
        let is_to_here = self.shared.whereabouts.is_here(dst.ip());
        let first = First { client, dst, transport: ends.transport, icmp, is_syn, is_local, is_to_here };
        self.clients.covers(spec, client.ip()).then(|| gate(&published.policy, &first))
    }

    fn covers(&self, from: SocketAddr) -> bool {
        self.clients.covers(self.shared.published.load().policy.spec(), from.ip())
    }
}

fn flow(ends: &Ends) -> Flow {
    Flow { client: ends.src, dst: ends.dst }
}
