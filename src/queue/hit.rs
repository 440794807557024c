use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::decide::decide;
use crate::model::{DomainName, Mark, Moment, OtherNames, Reason, RuleId, Transport, Verdict};
use crate::packet::{self, Syn};
use crate::record::{PathTaken, Record};

use super::recent::{Decided, REMEMBERED, RecentSyns};
use super::shared::{Basis, Published, Shared};

/// A SYN that the kernel let through by itself.
#[derive(Clone, Copy, Debug)]
pub struct LetThrough<'a> {
    /// Its beginning, from the IP header on.
    pub bytes: &'a [u8],
    /// The mark that it was given, with others' bits.
    pub mark: u32,
    /// Index of the interface it came in by.
    pub in_interface: u32,
}

/// Makes records of what the kernel says it let through: one a SYN, as a queue's worker does.
pub struct Hits {
    shared: Arc<Shared>,
    /// From the first one on.
    recent: Option<RecentSyns>,
}

/// By what a SYN was let through.
struct Cause {
    rule: Option<RuleId>,
    domain: Option<DomainName>,
    also: OtherNames,
}

impl Hits {
    /// What is told goes to `shared`.
    #[must_use]
    pub const fn new(shared: Arc<Shared>) -> Self {
        Self { shared, recent: None }
    }

    /// The kernel has told of a SYN.
    pub fn take(&mut self, packet: LetThrough<'_>, now: Moment) {
        let counters = &self.shared.counters;
        counters.fast_told.add(1);
        let Ok(syn) = packet::syn(packet.bytes) else { return };
        let basis = Basis::default();
        let recent = self.recent.get_or_insert_with(|| RecentSyns::new(REMEMBERED));
        if recent.find(&syn, basis, now).is_some() {
            counters.fast_repeated.add(1);
            return;
        }
        let published = self.shared.published.load_full();
        let mark = Mark(packet.mark & published.policy.spec().marks.bits());
        recent.remember(syn, Decided { verdict: Verdict::Allow, mark, basis }, now);
        let Cause { rule, domain, also } = self.cause(&published, &syn, mark, now);
        self.shared.report(Record {
            at: now,
            verdict: Verdict::Allow,
            reason: Reason::Allowed,
            rule,
            domain,
            also,
            client: syn.client,
            dst: syn.dst,
            transport: Transport::Tcp,
            mark,
            in_interface: packet.in_interface,
            uid: None,
            path: PathTaken::Fast,
            waited: Duration::ZERO,
        });
    }

    /// What the queue would have said. If that is something else by now, the mark still says which rule it was.
    fn cause(&self, published: &Published, syn: &Syn, mark: Mark, now: Moment) -> Cause {
        let (policy, client, dst): (_, IpAddr, IpAddr) = (&published.policy, syn.client.ip(), syn.dst.ip());
        let knowledge = self.shared.knowledge.about(dst);
        let known = knowledge.about(dst, self.shared.client(client), policy.spec().dns.scope, now);
        // Whether its listener is up now is another question.
        let decision = decide(policy, &known, client, syn.dst.port(), |_| true);
        if decision.route.is_some_and(|route| route.mark == mark) {
            return Cause { rule: decision.rule.cloned(), domain: decision.name, also: decision.also };
        }
        let route = policy.marked(mark);
        let exact = route.map(|route| &route.rule.name).filter(|name| !name.is_wild());
        let domain = exact.and_then(|name| DomainName::parse(name.as_str()).ok());
        Cause { rule: route.map(|route| route.rule.id.clone()), domain, also: OtherNames::new() }
    }
}
