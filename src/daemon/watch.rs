use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::block_in_place;

use crate::clock;
use crate::kernel::{Change, KernelError, refusal_counters};
use crate::queue::Ended;

use super::backend::View;
use super::firewall::Firewall;
use super::options::{OnExit, StartError};
use super::state_dir::StateDir;
use super::{notify, stop};

/// How long changes are gathered before they are looked at: other tools make them in bursts.
const GATHER: Duration = Duration::from_millis(20);
/// How soon a repair that failed is tried again.
const RETRY: Duration = Duration::from_millis(250);
/// How soon a worker that ended is started again.
const WORKER_PAUSE: Duration = Duration::from_millis(500);

/// All that runs, and all that can happen to it.
pub struct Daemon {
    /// What is shared with the control socket.
    pub view: Arc<View>,
    /// The kernel's state.
    pub firewall: Firewall,
    /// Envoy, if decider manages it.
    pub envoy: crate::envoy::Supervisor,
    /// Hints that the kernel's state changed.
    pub changes: mpsc::Receiver<Change>,
    /// Workers that ended.
    pub ended: mpsc::UnboundedReceiver<(usize, Ended)>,
    /// Where `down` is asked for.
    pub down: mpsc::Receiver<oneshot::Sender<Result<(), String>>>,
    /// The control socket; removed with the daemon.
    pub control: tokio::task::JoinHandle<()>,
    /// Held until the end, so that no other decider takes the state directory.
    pub _state: StateDir,
}

/// Waits for what happens and deals with it, until a signal or `down`.
///
/// # Errors
/// If signals cannot be received, or not every trace could be removed at the end.
pub async fn watch(mut daemon: Daemon) -> Result<(), StartError> {
    let failed = |source| StartError::system("wait for signals", source);
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut envoy = daemon.view.envoy.clone();
    let mut retry = tokio::time::interval(RETRY);
    retry.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let unhealthy = daemon.view.with_health(|health| health.ruleset.is_some() || health.routes.is_some());
        tokio::select! {
            Some(change) = daemon.changes.recv() => daemon.heal(change).await,
            () = changed(&mut envoy) => daemon.follow_envoy(),
            Some((index, ended)) = daemon.ended.recv() => daemon.worker_ended(index, &ended),
            _ = retry.tick(), if unhealthy => daemon.repair_all().await,
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            Some(reply) = daemon.down.recv() => return daemon.down_asked(reply).await,
        }
    }
    notify::stopping();
    let on_exit = daemon.view.options.on_exit;
    tracing::info!(door = ?on_exit, "stopping");
    match on_exit {
        OnExit::Closed => stop::leave_closed(daemon).await,
        OnExit::Open => stop::remove_all(daemon).await.map_err(|message| StartError::Left { message }),
    }
    .inspect(|()| tracing::info!("stopped"))
}

/// Waits for a change of Envoy's state; for ever if there can be none.
async fn changed<T>(state: &mut watch::Receiver<T>) {
    if state.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl Daemon {
    /// Looks at what a hint is about, once the burst that it belongs to is over, and puts it right.
    async fn heal(&mut self, first: Change) {
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
            self.view.shared.whereabouts.set(super::interfaces::own_addresses());
        }
        if seen.routes {
            self.repair_routes().await;
        } else if seen.links {
            self.follow_links().await;
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

    async fn repair_all(&mut self) {
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

    /// Lets SYNs through to the listeners that are up, and to no others.
    fn follow_envoy(&self) {
        follow_envoy(&self.view);
    }

    fn worker_ended(&self, index: usize, ended: &Ended) {
        tracing::error!(queue = index, ?ended, "a worker ended: its queue is closed until it is started again");
        self.view.workers.note_end(index, ended);
        let (view, workers) = (Arc::clone(&self.view), Arc::clone(&self.view.workers));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(WORKER_PAUSE).await;
                match workers.restart(index, &view.shared) {
                    Ok(()) => return tracing::warn!(queue = index, "a worker was started again"),
                    Err(error) => tracing::error!(%error, "a worker cannot be started again"),
                }
            }
        });
    }

    async fn down_asked(self, reply: oneshot::Sender<Result<(), String>>) -> Result<(), StartError> {
        notify::stopping();
        tracing::info!("told to go down");
        let removed = stop::remove_all(self).await;
        // If whoever asked is gone, the log has it.
        let _ = reply.send(removed.clone());
        // The reply leaves by another task.
        tokio::time::sleep(Duration::from_millis(100)).await;
        removed.map_err(|message| StartError::Left { message })
    }
}

/// Takes over from Envoy's state which listeners are up.
pub fn follow_envoy(view: &View) {
    let state = view.envoy.borrow().clone();
    let published = view.shared.published.load();
    for route in published.policy.routes() {
        published.readiness.set(route, state.is_ready(route));
    }
    notify::status(&format!("{} of {} listeners ready", published.readiness.count(), published.policy.routes().len()));
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
