//! The connections that live now, for whoever asks.

use std::io;

use tokio::task::block_in_place;

use crate::clock;
use crate::control::FlowView;
use crate::kernel::{Conntrack, FlowNews};
use crate::model::{Mark, Moment, Who};
use crate::policy::NameMatch;
use crate::queue::{Published, Shared};

use super::backend::View;

/// Connections in one answer at most, which bounds its size to some 20 MB.
const MOST: usize = 50_000;
/// Connections of this host in one answer whose processes are looked for: that takes some tenths of a millisecond each.
const MOST_OWNERS: usize = 1_000;

impl View {
    /// The connections that live and go through a listener, those of the same client together.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn living(&self) -> io::Result<Vec<FlowView>> {
        let published = self.shared.published.load();
        let mut living = block_in_place(|| Conntrack::living(published.policy.spec().marks))?;
        living.sort_by_key(|news| (news.client, news.dst));
        let now = clock::now();
        let mut flows: Vec<FlowView> =
            living.iter().take(MOST).filter_map(|news| view(news, &published, &self.shared, now)).collect();
        let own = flows.iter_mut().filter(|flow| self.shared.whereabouts.is_here(flow.client));
        for flow in own.take(MOST_OWNERS) {
            flow.who = self.owner(flow);
        }
        Ok(flows)
    }

    fn owner(&self, flow: &FlowView) -> Who {
        let all = block_in_place(|| self.who.connected(flow.client, (flow.dst, flow.dst_port).into()));
        all.into_iter().find(|(port, _)| *port == flow.client_port).map(|(_, who)| who).unwrap_or_default()
    }
}

/// None of a connection that goes through no listener of this policy any more: it is being cut.
fn view(news: &FlowNews, published: &Published, shared: &Shared, now: Moment) -> Option<FlowView> {
    let policy = &published.policy;
    let mark = Mark(news.mark & policy.spec().marks.bits());
    let route = policy.marked(mark)?;
    let (client, dst) = (news.client, news.dst);
    let leads = |name: &_| matches!(policy.lookup(name, dst.port()), NameMatch::Allow(to) if to.slot == route.slot);
    let asker = shared.client(client.ip());
    let observations = shared.knowledge.about(dst.ip());
    let named = observations
        .at(dst.ip())
        .filter(|observed| leads(&observed.name))
        .max_by_key(|observed| (observed.client == asker, observed.flows > 0, observed.expires));
    let age = news
        .measures
        .began
        .and_then(|began| clock::wall().duration_since(std::time::UNIX_EPOCH).ok()?.checked_sub(began));
    Some(FlowView {
        client: client.ip(),
        client_port: client.port(),
        dst: dst.ip(),
        dst_port: dst.port(),
        proto: "tcp".to_owned(),
        rule: route.rule.id.clone(),
        domain: named.map(|observed| observed.name.clone()),
        listener_port: route.listener_port,
        mark: mark.to_string(),
        age_s: age.map(|age| age.as_secs()),
        bytes_out: news.measures.bytes_out,
        bytes_in: news.measures.bytes_in,
        left_s: named.map(|observed| observed.expires.since(now).as_secs()),
        who: Who::default(),
    })
}
