//! Workers with all that they need, and packets to give them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use decider::clock;
use decider::dns::{Belief, Limits, Record as Observed};
use decider::model::{ClientId, DomainName, Epoch, Mark, Verdict};
use decider::policy::{Policy, SlotTable, load};
use decider::queue::{
    Answer, DnsWorker, Handler, HeldPacket, Hook, Knowledge, Published, Readiness, Replies, Shared, SynWorker,
};
use decider::record::{DnsOutcome, Record};

use crate::packet_bytes::{BOTH, Family, udp};

/// A mark with bits that are others', and with one of ours that a client forged.
pub const FORGED_MARK: u32 = 0x4000_0042;
/// What must be left of it.
pub const OTHERS: u32 = 0x0000_0042;

const POLICY: &str = "\
version: 1
intercept:
  gateway:
    interfaces: [lan0]
dns:
  resolvers: [10.77.2.53, \"fd77:2::53\"]
rules:
  - { domain: github.com, proto: ssh }
  - { domain: gitlab.com, proto: ssh }
";

/// A packet that the kernel would hold.
pub struct Held {
    pub bytes: Vec<u8>,
    pub hook: Hook,
}

impl HeldPacket for Held {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn mark(&self) -> u32 {
        FORGED_MARK
    }

    fn in_interface(&self) -> u32 {
        3
    }

    fn hook(&self) -> Hook {
        self.hook
    }
}

/// A datagram that was made up: from where, to where, what.
type Sent = (SocketAddr, SocketAddr, Vec<u8>);

/// Notes what would be sent.
struct Noted(Sender<Sent>);

impl Replies for Noted {
    fn send(&self, resolver: SocketAddr, client: SocketAddr, message: &[u8], _mark: Mark) -> io::Result<()> {
        self.0.send((resolver, client, message.to_vec())).map_err(io::Error::other)
    }
}

/// A worker for SYNs and one for DNS that share a policy and a cache, in which the client knows github.com.
pub struct World {
    pub shared: Arc<Shared>,
    syns: SynWorker,
    dns: DnsWorker<Noted>,
    events: Receiver<Record>,
    learned: Receiver<Observed>,
    replies: Receiver<Sent>,
    given: u64,
}

impl World {
    pub fn new() -> Self {
        Self::with_policy(POLICY)
    }

    /// The same in audit mode.
    pub fn audit() -> Self {
        Self::with_policy(&format!("{POLICY}mode: audit\n"))
    }

    /// The same with a rule for another name, too.
    pub fn with_rule_for(name: &DomainName) -> Self {
        Self::with_policy(&format!("{POLICY}  - {{ id: other, domain: \"{name}\", proto: tcp, port: 4444 }}\n"))
    }

    pub fn with_policy(text: &str) -> Self {
        let (records, events) = bounded(10_000);
        let (journal, learned) = bounded(10_000);
        let limits =
            Limits::new(100_000, Duration::from_secs(60), Duration::from_secs(86_400), Duration::from_secs(30));
        let shared = Arc::new(Shared::new(published(text, Epoch(1)), Knowledge::new(limits), records, journal));
        let (send_replies, replies) = unbounded();
        let world = Self {
            syns: SynWorker::new(Arc::clone(&shared)),
            dns: DnsWorker::new(Arc::clone(&shared), Noted(send_replies)),
            shared,
            events,
            learned,
            replies,
            given: 0,
        };
        for family in BOTH {
            world.knows(family.client().ip(), "github.com", family.github().ip());
        }
        world
    }

    /// Lets a client have been told that a name is at an address.
    pub fn knows(&self, client: IpAddr, name: &str, addr: IpAddr) {
        let name = DomainName::parse(name).unwrap();
        let ttl = Duration::from_secs(60);
        self.shared.knowledge.about(addr).learn(clock::now(), ClientId(client), addr, name, ttl, Belief::Believed);
    }

    /// Puts another policy into force; every listener of it is up.
    pub fn publish(&self, text: &str, epoch: u64) {
        self.shared.published.store(Arc::new(published(text, Epoch(epoch))));
    }

    /// Says of each listener whether it is up.
    pub fn set_listeners(&self, up: bool) {
        let published = self.shared.published.load();
        for route in published.policy.routes() {
            published.readiness.set(route, up);
        }
    }

    /// Gives a packet to the SYN worker: what it answers, and the event, if there is one.
    pub fn syn(&mut self, bytes: Vec<u8>) -> (Answer, Option<Record>) {
        self.given += 1;
        let answer = self.syns.handle(&Held { bytes, hook: Hook::Prerouting });
        self.syns.settle();
        let event = self.events.try_recv().ok();
        assert!(self.events.is_empty(), "one packet, two events");
        (answer, event)
    }

    /// Gives a packet to the DNS worker: what it answers, what it counts it as, and the events.
    pub fn dns(&mut self, bytes: Vec<u8>, hook: Hook) -> (Answer, DnsOutcome, Vec<Record>) {
        let before = self.dns_counters();
        let answer = self.dns.handle(&Held { bytes, hook });
        self.dns.settle();
        let after = self.dns_counters();
        let changed: Vec<usize> = (0..before.len()).filter(|&index| before[index] != after[index]).collect();
        assert_eq!(changed.len(), 1, "each message is counted as one thing");
        assert_eq!(after[changed[0]], before[changed[0]] + 1, "and once");
        (answer, DnsOutcome::ALL[changed[0]], self.events.try_iter().collect())
    }

    /// The client's question, as a message to its resolver.
    pub fn ask(&mut self, family: Family, message: &[u8]) -> (Answer, DnsOutcome, Vec<Record>) {
        self.dns(udp(family.client(), family.resolver(), message), Hook::Prerouting)
    }

    /// A message from the resolver to the client.
    pub fn reply(&mut self, family: Family, message: &[u8]) -> (Answer, DnsOutcome, Vec<Record>) {
        self.dns(udp(family.resolver(), family.client(), message), Hook::Postrouting)
    }

    /// What was learned since this was asked last, and all that is on the trail.
    pub fn learned(&self) -> Vec<Observed> {
        let trail = self.shared.knowledge.parts().flat_map(|part| part.trail().collect::<Vec<_>>());
        self.learned.try_iter().chain(trail).collect()
    }

    /// What decider answered by itself since this was asked last.
    pub fn replies(&self) -> Vec<Sent> {
        self.replies.try_iter().collect()
    }

    /// What the SYN worker was given is what it counted.
    pub fn assert_sums(&self) {
        let counters = &self.shared.counters;
        let sum: u64 = [&counters.allowed, &counters.denied, &counters.audited, &counters.malformed]
            .iter()
            .map(|count| count.value())
            .sum();
        assert_eq!(sum, self.given);
        assert_eq!(counters.lost_records.value() + counters.lost_journal.value(), 0);
    }

    /// The mark of the deny verdict, with others' bits.
    pub fn deny(&self) -> Answer {
        Answer::Accept { mark: OTHERS | self.shared.published.load().policy.spec().marks.deny().0 }
    }

    /// The mark that leads to a rule's listener, with others' bits.
    pub fn listener(&self, name: &str) -> Answer {
        let published = self.shared.published.load();
        let route = published.policy.routes().iter().find(|route| route.rule.name.as_str() == name).unwrap();
        Answer::Accept { mark: OTHERS | route.mark.0 }
    }

    /// A question that goes on its way.
    pub fn passes(&self) -> Answer {
        Answer::Accept { mark: OTHERS | self.shared.published.load().policy.spec().marks.direct().0 }
    }

    fn dns_counters(&self) -> Vec<u64> {
        DnsOutcome::ALL.iter().map(|&outcome| self.shared.counters.dns(outcome).value()).collect()
    }
}

fn published(text: &str, epoch: Epoch) -> Published {
    let spec = load(text).unwrap().spec;
    let mut slots = SlotTable::default();
    slots.assign(&spec).unwrap();
    let policy = Policy::compile(spec, &slots, epoch).unwrap();
    let readiness = Readiness::none_of(policy.routes().len());
    for route in policy.routes() {
        readiness.set(route, true);
    }
    Published { policy, readiness }
}

/// An event says what a packet's verdict was.
pub fn assert_event(event: Option<&Record>, verdict: Verdict, reason: decider::model::Reason, case: &str) {
    let event = event.unwrap_or_else(|| unreachable!("{case}: no event"));
    assert_eq!((event.verdict, event.reason), (verdict, reason), "{case}");
}
