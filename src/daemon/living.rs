//! The connections that live now, for whoever asks.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::task::block_in_place;

use crate::clock;
use crate::control::FlowView;
use crate::kernel::{Conntrack, FlowNews};
use crate::model::{Mark, Moment, Who};
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
        self.name_owners(own.take(MOST_OWNERS));
        Ok(flows)
    }

    /// Says who began what. Whoever is asked tells of all connections to a place at once.
    fn name_owners<'f>(&self, flows: impl Iterator<Item = &'f mut FlowView>) {
        let mut known: HashMap<(IpAddr, SocketAddr), HashMap<u16, Who>> = HashMap::new();
        for flow in flows {
            let (from, to) = (flow.client, SocketAddr::new(flow.dst, flow.dst_port));
            let all = known
                .entry((from, to))
                .or_insert_with(|| block_in_place(|| self.who.connected(from, to)).into_iter().collect());
            flow.who = all.remove(&flow.client_port).unwrap_or_default();
        }
    }
}

/// None of a connection that goes through no listener of this policy any more: it is being cut.
fn view(news: &FlowNews, published: &Published, shared: &Shared, now: Moment) -> Option<FlowView> {
    let policy = &published.policy;
    let mark = Mark(news.mark & policy.spec().marks.bits());
    let route = policy.marked(mark)?;
    let (client, dst) = (news.client, news.dst);
    let asker = shared.client(client.ip());
    let observations = shared.knowledge.about(dst.ip());
    let named = observations
        .at(dst.ip())
        .filter(|observed| policy.leads(client.ip(), &observed.name, dst.port(), route))
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
        domain: named.as_ref().map(|observed| observed.name.clone()),
        listener_port: route.listener_port,
        mark: mark.to_string(),
        age_s: age.map(|age| age.as_secs()),
        bytes_out: news.measures.bytes_out,
        bytes_in: news.measures.bytes_in,
        left_s: named.map(|observed| observed.expires.since(now).as_secs()),
        who: Who::default(),
    })
}
