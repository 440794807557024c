use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};

use crate::clock;
use crate::kernel::queue_stats;
use crate::queue::Ended;
use crate::record::{Throttle, Told};

use super::notify::Watchdog;
use super::options::{OnExit, StartError};
use super::running::Daemon;
use super::{notify, stop};

/// How soon a repair that failed is tried again.
const RETRY: Duration = Duration::from_millis(250);
/// How soon a worker that ended is started again.
const WORKER_PAUSE: Duration = Duration::from_millis(500);

/// Waits for what happens and deals with it, until a signal or `down`.
///
/// # Errors
/// If signals cannot be received, or not every trace could be removed at the end.
pub async fn watch(mut daemon: Daemon) -> Result<(), StartError> {
    let failed = |source| StartError::system("wait for signals", source);
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut envoy = daemon.view.envoy.clone();
    let mut retry = tokio::time::interval(RETRY);
    let mut watchdog = Watchdog::new();
    retry.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let unhealthy = daemon.view.with_health(|health| health.ruleset.is_some() || health.routes.is_some());
        tokio::select! {
            Some(change) = daemon.changes.recv() => daemon.heal(change).await,
            () = changed(&mut envoy) => daemon.view.follow_envoy(),
            Some((index, ended)) = daemon.ended.recv() => daemon.worker_ended(index, &ended),
            _ = retry.tick(), if unhealthy => daemon.repair_all().await,
            () = watchdog.due() => daemon.give_sign(),
            () = daemon.view.changed.notified() => daemon.backstop.keep(&daemon.view).await,
            _ = hangup.recv() => daemon.view.reload_unattended(),
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
    /// A sign of life. None, if a worker does not do its work: the service manager then has it all started anew.
    fn give_sign(&self) {
        let at_work = queue_stats().is_ok_and(|stats| self.view.workers.are_at_work(&stats));
        if at_work {
            notify::alive();
        } else {
            tracing::error!("a queue is not served: the watchdog is not told that all is well");
        }
    }

    fn worker_ended(&mut self, index: usize, ended: &Ended) {
        let told = self.failures.workers.fails(&format!("{ended:?}"), clock::now());
        if let Some(Told { left_out }) = told {
            tracing::error!(
                queue = index,
                ?ended,
                left_out,
                "a worker ended: its queue is closed until it is started again"
            );
        }
        self.failures.workers.works();
        self.view.workers.note_end(index, ended);
        let (view, workers) = (Arc::clone(&self.view), Arc::clone(&self.view.workers));
        let mut failures = Throttle::default();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(WORKER_PAUSE).await;
                let Err(error) = workers.restart(index, &view.shared) else { break };
                if let Some(Told { left_out }) = failures.fails(&error.to_string(), clock::now()) {
                    tracing::error!(%error, left_out, "a worker cannot be started again");
                }
            }
            if failures.works() || told.is_some() {
                tracing::warn!(queue = index, "a worker was started again");
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
