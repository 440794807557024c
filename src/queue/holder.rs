use std::collections::HashSet;
use std::sync::Arc;

use crate::dns::{Flow, Flows, Held};
use crate::model::Mark;

use super::shared::Shared;

/// Lets connections hold the observations that let them through, for as long as they live.
pub struct Holder {
    shared: Arc<Shared>,
    flows: Flows,
}

impl Holder {
    /// No connection is known yet.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, flows: Flows::new() }
    }

    /// A connection lives; its mark, without others' bits, says which rule let it through.
    pub fn begin(&mut self, flow: Flow, mark: Mark) {
        let published = self.shared.published.load();
        let policy = &published.policy;
        let Some(route) = policy.marked(mark) else { return };
        let (client, addr, port) = (self.shared.client(flow.client.ip()), flow.dst.ip(), flow.dst.port());
        let knowledge = &self.shared.knowledge;
        let released = self.flows.begin(flow, mark, || {
            let leads = |name: &_| policy.leads(flow.client.ip(), name, port, route);
            knowledge.about(addr).hold(client, addr, policy.spec().dns.scope, leads)
        });
        for held in released {
            self.release(&held);
        }
    }

    /// A connection has ended.
    pub fn end(&mut self, flow: Flow) {
        if let Some(held) = self.flows.end(flow) {
            self.release(&held);
        }
    }

    /// Only these live, whatever was heard before.
    pub fn end_all_but(&mut self, living: &HashSet<Flow>) {
        for held in self.flows.end_all_but(living) {
            self.release(&held);
        }
    }

    fn release(&self, held: &Held) {
        self.shared.knowledge.about(held.addr).release(held);
    }
}
