use std::collections::HashSet;
use std::io;
use std::time::Duration;

use tokio::task::block_in_place;

use crate::clock;
use crate::control::CutFlow;
use crate::decide::{Standing, may_go_on};
use crate::dns::Grounds;
use crate::envoy::{Connected, Downstream};
use crate::kernel::{Conntrack, Cutter, FlowNews, SocketEnds};
use crate::model::{DomainName, Mark, OtherNames, Reason, RuleId, Transport, Verdict};
use crate::policy::Policy;
use crate::record::{PathTaken, Record};

use super::Reloader;
use super::ways::Ways;

/// After this time the access log has all that has happened before: Envoy writes it four times a second.
const LOG_DELAY: Duration = Duration::from_millis(400);
/// How often it is looked for connections that may not go on.
const ROUNDS: usize = 3;

/// A connection that may not go on.
pub struct Condemned {
    news: FlowNews,
    mark: Mark,
    rule: Option<RuleId>,
    name: Option<DomainName>,
    why: &'static str,
}

impl Reloader {
    /// The connections that may not go on by a policy, and why.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn condemned(&self, ways: &Ways, after: &Policy) -> io::Result<Vec<Condemned>> {
        let marks = after.spec().marks;
        let living = block_in_place(|| Conntrack::living(marks))?;
        Ok(living.into_iter().filter_map(|news| self.judge(news, ways, after)).collect())
    }

    fn judge(&self, news: FlowNews, ways: &Ways, after: &Policy) -> Option<Condemned> {
        let shared = &self.view.shared;
        let (client, dst) = (news.client, news.dst);
        let mark = Mark(news.mark & after.spec().marks.bits());
        let way = ways.get(mark, dst.port());
        let now = clock::now();
        let known = shared.knowledge.about(dst.ip());
        let scope = after.spec().dns.scope;
        let names: Vec<DomainName> =
            known.about(dst.ip(), shared.client(client.ip()), scope, now).live().cloned().collect();
        drop(known);
        let allow_private = after.spec().dns.allow_private;
        let belief = Grounds { allow_private, is_here: shared.whereabouts.is_here(dst.ip()) }.belief(dst.ip());
        let client_is_here = shared.whereabouts.is_here(client.ip());
        let flow = Standing { client, dst, mark, names: &names, client_is_here, belief };
        let why = may_go_on(after, way, &flow).err()?;
        let own = way.and_then(|way| DomainName::parse(way.name).ok());
        let rule = way.map(|way| RuleId::new(way.id));
        Some(Condemned { news, mark, rule, name: own.or_else(|| names.into_iter().next()), why })
    }

    /// The same, or none if the kernel does not say.
    pub fn condemned_if_known(&self, ways: &Ways, after: &Policy) -> Vec<Condemned> {
        self.condemned(ways, after).unwrap_or_else(|error| {
            tracing::error!(%error, "connections cannot be listed: those that are not allowed end a second later");
            Vec::new()
        })
    }

    /// Ends the connections that may not go on by the policy in force, on both of their sides; says which those were.
    ///
    /// Those in `doomed` were found before the ruleset was changed, which since then refuses their packets: their clients
    /// may have had a reset by it, and nobody else.
    pub async fn cut(&self, ways: &Ways, doomed: Vec<Condemned>) -> Vec<CutFlow> {
        let published = self.view.shared.published.load_full();
        let (mut cut, mut condemned) = (Vec::new(), doomed);
        for _ in 0..ROUNDS {
            let known: HashSet<Downstream> = condemned.iter().map(Condemned::downstream).collect();
            let more = self.condemned_if_known(ways, &published.policy).into_iter();
            condemned.extend(more.filter(|flow| !known.contains(&flow.downstream())));
            if condemned.is_empty() {
                break;
            }
            self.end(&condemned).await;
            for flow in std::mem::take(&mut condemned) {
                self.report(&flow);
                cut.push(flow.told());
            }
        }
        cut
    }

    /// Those whose upstream side the log knows already go at once, the others once it must.
    async fn end(&self, condemned: &[Condemned]) {
        let cutter = match Cutter::open() {
            Ok(cutter) => cutter,
            Err(error) => return tracing::error!(%error, "connections cannot be cut: they end a second later"),
        };
        let relay = self.view.shared.published.load().policy.spec().marks.relay();
        let connected = block_in_place(|| self.steering.connected());
        let is_known = |flow: &&Condemned| flow.mark == relay || connected.upstream(&flow.downstream()).is_some();
        let (known, unknown): (Vec<&Condemned>, Vec<&Condemned>) = condemned.iter().partition(is_known);
        self.end_each(&cutter, &known, &connected);
        if !unknown.is_empty() {
            tokio::time::sleep(LOG_DELAY).await;
            let connected = block_in_place(|| self.steering.connected());
            self.end_each(&cutter, &unknown, &connected);
        }
    }

    fn end_each(&self, cutter: &Cutter, condemned: &[&Condemned], connected: &Connected) {
        let marks = self.view.shared.published.load().policy.spec().marks;
        for flow in condemned {
            let FlowNews { client, dst, .. } = flow.news;
            let upstream = connected.upstream(&flow.downstream());
            let upstream = upstream.map(|ends| SocketEnds { local: ends.local, remote: ends.remote });
            // The log is Envoy's: only connections that have its mark are believed to be its own.
            let is_envoys = |ends: &SocketEnds| {
                cutter
                    .mark_of(*ends)
                    .is_ok_and(|mark| mark.is_some_and(|mark| mark & marks.bits() == marks.upstream().0))
            };
            let downstream = SocketEnds { local: dst, remote: client };
            let ends: Vec<SocketEnds> = upstream.filter(is_envoys).into_iter().chain([downstream]).collect();
            let done = cutter.reset(&ends).and(cutter.forget(client, dst));
            if let Err(error) = done {
                tracing::error!(%error, %client, %dst, "a connection could not be cut: it ends a second later");
            }
        }
    }

    fn report(&self, flow: &Condemned) {
        self.view.shared.report(Record {
            at: clock::now(),
            verdict: Verdict::Deny,
            reason: Reason::PolicyChanged,
            rule: flow.rule.clone(),
            domain: flow.name.clone(),
            also: OtherNames::new(),
            client: flow.news.client,
            dst: flow.news.dst,
            transport: Transport::Tcp,
            mark: flow.mark,
            in_interface: 0,
            uid: None,
            path: PathTaken::Fast,
            waited: Duration::ZERO,
        });
    }
}

impl Condemned {
    fn downstream(&self) -> Downstream {
        Downstream { client: self.news.client, dst: self.news.dst }
    }

    /// For whoever asked.
    pub fn told(self) -> CutFlow {
        let FlowNews { client, dst, .. } = self.news;
        CutFlow {
            client: client.ip(),
            client_port: client.port(),
            dst: dst.ip(),
            dst_port: dst.port(),
            rule: self.rule,
            domain: self.name,
            why: self.why.to_owned(),
        }
    }
}
