use std::time::Duration;

use jiff::Timestamp;
use tokio::task::block_in_place;

use crate::clock;
use crate::kernel::{Change, KernelError, refusal_counters};

use super::interfaces;
use super::running::Daemon;

/// How long changes are gathered before they are looked at: other tools make them in bursts.
const GATHER: Duration = Duration::from_millis(20);

impl Daemon {
    /// Looks at what a hint is about, once the burst that it belongs to is over, and puts it right.
    pub async fn heal(&mut self, first: Change) {
        tokio::time::sleep(GATHER).await;
        let mut seen = Seen::default();
        seen.add(first);
        while let Ok(more) = self.changes.try_recv() {
            seen.add(more);
        }
        if seen.ruleset {
            self.repair_ruleset();
        }
        if seen.links {
            self.view.shared.whereabouts.set(interfaces::own_addresses());
            self.follow_bridges().await;
        }
        if seen.routes {
            self.repair_routes().await;
        } else if seen.links {
            self.follow_links().await;
        }
    }

    /// The first bridge of all may put itself in front of the ruleset.
    async fn follow_bridges(&mut self) {
        match self.firewall.is_overtaken().await {
            Ok(false) => {}
            Ok(true) => self.repair_ruleset(),
            Err(error) => self.routing_failed(&error),
        }
    }

    /// A client interface that has come needs its lockdown; one that has gone needs none. That is no repair.
    async fn follow_links(&mut self) {
        match self.firewall.repair_routing(&self.view.shared).await {
            Ok(0) => {}
            Ok(changed) => tracing::info!(changed, "routing follows the interfaces that there are"),
            Err(error) => self.routing_failed(&error),
        }
    }

    fn routing_failed(&self, error: &KernelError) {
        tracing::error!(%error, "routing cannot be put right: trying again");
        self.view.with_health(|health| health.routes = Some(error.to_string()));
    }

    /// Looks at everything and puts it right.
    pub async fn repair_all(&mut self) {
        self.repair_ruleset();
        self.repair_routes().await;
    }

    fn repair_ruleset(&mut self) {
        let refused = block_in_place(refusal_counters).unwrap_or_default();
        match self.firewall.repair_ruleset() {
            Ok(None) => self.view.with_health(|health| health.ruleset = None),
            Ok(Some(what)) => {
                tracing::warn!(what, "the ruleset was changed by another program and has been put back");
                self.view.with_health(|health| {
                    for (reason, count) in refused {
                        *health.refused_before.entry(reason).or_default() += count;
                    }
                    health.ruleset = None;
                    health.heal.ruleset += 1;
                    health.heal.last = Some(format!("ruleset: {what}"));
                    health.heal.last_at = Timestamp::try_from(clock::wall()).ok();
                });
            }
            Err(error) => {
                tracing::error!(%error, "the ruleset cannot be put back: trying again");
                self.view.with_health(|health| health.ruleset = Some(error.to_string()));
            }
        }
    }

    async fn repair_routes(&mut self) {
        match self.firewall.repair_routing(&self.view.shared).await {
            Ok(0) => self.view.with_health(|health| health.routes = None),
            Ok(repaired) => {
                tracing::warn!(repaired, "routing was changed and has been put back");
                self.view.with_health(|health| {
                    health.routes = None;
                    health.heal.routes += 1;
                    health.heal.last = Some(format!("routing: {repaired} rules or routes"));
                    health.heal.last_at = Timestamp::try_from(clock::wall()).ok();
                });
            }
            Err(error) => self.routing_failed(&error),
        }
    }
}

/// What a burst of changes is about.
#[derive(Default)]
struct Seen {
    ruleset: bool,
    routes: bool,
    links: bool,
}

impl Seen {
    fn add(&mut self, change: Change) {
        match change {
            Change::Ruleset => self.ruleset = true,
            Change::Rules => self.routes = true,
            Change::Links => self.links = true,
            Change::Overrun => (self.ruleset, self.routes, self.links) = (true, true, true),
        }
    }
}
