use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};

use crate::kernel::Change;
use crate::queue::Ended;
use crate::record::Throttle;

use super::backend::View;
use super::backstop::BackstopKeeper;
use super::firewall::Firewall;

/// All that runs, and all that can happen to it.
pub struct Daemon {
    /// What is shared with the control socket.
    pub view: Arc<View>,
    /// The kernel's state.
    pub firewall: Arc<Mutex<Firewall>>,
    /// What holds the door while that is gone.
    pub backstop: BackstopKeeper,
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
    /// Metrics, where they are wanted; a UNIX socket is removed with the daemon, too.
    pub metrics: Option<tokio::task::JoinHandle<()>>,
    /// The task that does reloads.
    pub reloader: tokio::task::JoinHandle<()>,
    /// What the log is told of failures.
    pub failures: Failures,
}

/// What may fail over and over.
#[derive(Default)]
pub struct Failures {
    /// Repairs of the ruleset.
    pub ruleset: Throttle,
    /// Repairs of routing.
    pub routes: Throttle,
    /// Workers.
    pub workers: Throttle,
}
