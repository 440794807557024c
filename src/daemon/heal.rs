use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::block_in_place;

use crate::clock;
use crate::kernel::{Change, KernelError, refusal_counters, table_exists};
use crate::record::Told;

use super::interfaces;
use super::running::Daemon;

/// How long changes are gathered before they are looked at: other tools make them in bursts.
const GATHER: Duration = Duration::from_millis(20);

impl Daemon {
    /// Looks at what a hint is about, once the burst that it belongs to is over, and puts it right.
    pub async fn heal(&mut self, first: Change) {
        let mut seen = Seen::default();
        seen.add(first);
        let is_gone = self.gather(&mut seen).await;
        while let Ok(more) = self.changes.try_recv() {
            seen.add(more);
        }
        if is_gone {
            self.restore_ruleset().await;
        } else if seen.ruleset != Table::Untouched {
            self.repair_ruleset().await;
        }
        if seen.links {
            // Whose an address is changes what is known of it.
            let _pause = block_in_place(|| self.view.shared.pause_fast());
            self.view.shared.whereabouts.set(interfaces::own_addresses());
            self.follow_bridges().await;
        }
        if seen.routes {
            self.repair_routes().await;
        } else if seen.links {
            self.follow_links().await;
        }
        if seen.filters || seen.links {
            self.backstop.keep(&self.view).await;
        }
    }

    /// Waits until a burst is over. Not while the door may be open: a table that has been deleted is looked for at once, and
    /// if it is gone, that is said.
    async fn gather(&mut self, seen: &mut Seen) -> bool {
        let over = tokio::time::sleep(GATHER);
        tokio::pin!(over);
        loop {
            if seen.ruleset == Table::Deleted {
                if block_in_place(table_exists).is_ok_and(|exists| !exists) {
                    return true;
                }
                // It was replaced, as decider itself does.
                seen.ruleset = Table::Changed;
            }
            tokio::select! {
                () = &mut over => return false,
                Some(more) = self.changes.recv() => seen.add(more),
            }
        }
    }

    /// The first bridge of all may put itself in front of the ruleset.
    async fn follow_bridges(&mut self) {
        let is_overtaken = self.firewall.lock().await.is_overtaken().await;
        match is_overtaken {
            Ok(false) => {}
            Ok(true) => self.repair_ruleset().await,
            Err(error) => self.routing_failed(&error),
        }
    }

    /// A client interface that has come needs its lockdown; one that has gone needs none. That is no repair.
    async fn follow_links(&mut self) {
        let repaired = self.firewall.lock().await.repair_routing(&self.view.shared).await;
        match repaired {
            Ok(0) => {}
            Ok(changed) => tracing::info!(changed, "routing follows the interfaces that there are"),
            Err(error) => self.routing_failed(&error),
        }
    }

    fn routing_failed(&mut self, error: &KernelError) {
        let why = error.to_string();
        if let Some(Told { left_out }) = self.failures.routes.fails(&why, clock::now()) {
            tracing::error!(%error, left_out, "routing cannot be put right: trying again");
        }
        self.view.with_health(|health| health.routes = Some(why));
    }

    fn routing_is_right(&mut self) {
        self.view.with_health(|health| health.routes = None);
        if self.failures.routes.works() {
            tracing::warn!("routing is in force again");
        }
    }

    /// Looks at everything and puts it right.
    pub async fn repair_all(&mut self) {
        self.repair_ruleset().await;
        self.repair_routes().await;
    }

    async fn repair_ruleset(&mut self) {
        // A reload that is under way has it until it is as it should be.
        let mut firewall = self.firewall.lock().await;
        let refused = block_in_place(refusal_counters).unwrap_or_default();
        let repaired = firewall.repair_ruleset();
        drop(firewall);
        self.ruleset_repaired(repaired, refused);
    }

    /// Without the looks that a repair takes: there is nothing to look at.
    async fn restore_ruleset(&mut self) {
        let restored = self.firewall.lock().await.restore_ruleset();
        self.ruleset_repaired(restored.map(|()| Some("the table was deleted".to_owned())), BTreeMap::new());
    }

    fn ruleset_repaired(&mut self, repaired: Result<Option<String>, KernelError>, refused: BTreeMap<String, u64>) {
        match repaired {
            Ok(None) => {
                self.view.with_health(|health| health.ruleset = None);
                if self.failures.ruleset.works() {
                    tracing::warn!("the ruleset is in force again");
                }
            }
            Ok(Some(what)) => {
                self.failures.ruleset.works();
                // Its maps are empty now.
                drop(block_in_place(|| self.view.shared.pause_fast()));
                tracing::warn!(what, "the ruleset was changed by another program and has been put back");
                self.view.carry_over(refused);
                self.view.with_health(|health| {
                    health.ruleset = None;
                    health.heal.ruleset += 1;
                    health.healed(format!("ruleset: {what}"));
                });
            }
            Err(error) => {
                let why = error.to_string();
                // It is tried four times a second.
                if let Some(Told { left_out }) = self.failures.ruleset.fails(&why, clock::now()) {
                    tracing::error!(%error, left_out, "the ruleset cannot be put back: trying again");
                }
                self.view.with_health(|health| health.ruleset = Some(why));
            }
        }
    }

    async fn repair_routes(&mut self) {
        let repaired = self.firewall.lock().await.repair_routing(&self.view.shared).await;
        match repaired {
            Ok(0) => self.routing_is_right(),
            Ok(repaired) => {
                self.failures.routes.works();
                tracing::warn!(repaired, "routing was changed and has been put back");
                self.view.with_health(|health| {
                    health.routes = None;
                    health.heal.routes += 1;
                    health.healed(format!("routing: {repaired} rules or routes"));
                });
            }
            Err(error) => self.routing_failed(&error),
        }
    }
}

/// What a burst of changes made of decider's table.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Table {
    #[default]
    Untouched,
    Changed,
    Deleted,
}

/// What a burst of changes is about.
#[derive(Default)]
struct Seen {
    ruleset: Table,
    routes: bool,
    links: bool,
    filters: bool,
}

impl Seen {
    fn add(&mut self, change: Change) {
        match change {
            Change::Ruleset => self.note(Table::Changed),
            Change::RulesetGone => self.note(Table::Deleted),
            Change::Rules => self.routes = true,
            Change::Links => self.links = true,
            Change::Filters => self.filters = true,
            Change::Overrun => {
                self.note(Table::Changed);
                (self.routes, self.links, self.filters) = (true, true, true);
            }
        }
    }

    fn note(&mut self, table: Table) {
        if self.ruleset != Table::Deleted {
            self.ruleset = table;
        }
    }
}
