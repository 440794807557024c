use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::account::Account;
use super::admin::Admin;
use super::backoff::Backoff;
use super::directory::{Directory, Readers};
use super::error::EnvoyError;
use super::files::{self, Files};
use super::limits;
use super::logs;
use super::meaning::Listener;
use super::observer::{Observer, PACE};
use super::offer::Offer;
use super::process::{Leftover, Process};
use super::program::Program;
use super::state::{EnvoyState, Phase};
use super::steering::Steering;
use crate::policy::Policy;

/// Envoy, found and ready to be started: everything that can fail without a trace is done.
#[derive(Debug)]
pub struct Launch {
    /// None: somebody else starts it.
    program: Option<Program>,
    directory: Directory,
    left: Option<Leftover>,
    is_running: bool,
}

/// An Envoy that is being kept running.
#[derive(Debug)]
pub struct Started {
    /// Ends it.
    pub supervisor: Supervisor,
    /// Changes what it does.
    pub steering: Steering,
    /// How it is.
    pub state: watch::Receiver<EnvoyState>,
    /// The listeners of before, if it was running already: connections may be open by way of them.
    pub before: Option<BTreeMap<String, Listener>>,
}

/// Keeps Envoy running. When it is dropped without [`stop`](Self::stop), Envoy runs on.
#[derive(Debug)]
pub struct Supervisor {
    task: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

impl Launch {
    /// Finds Envoy, takes its directory, and looks whether a decider has left an Envoy behind.
    ///
    /// # Errors
    /// What is missing or in the way.
    pub async fn prepare(policy: &Policy) -> Result<Self, EnvoyError> {
        let spec = &policy.spec().envoy;
        let program = spec.manage.then(|| Program::find(spec)).transpose()?;
        let readers = match spec.user.as_ref().map(Account::find).transpose()? {
            Some(account) => Readers::User(account),
            None if spec.manage => Readers::Ours,
            None => Readers::Anybody,
        };
        let directory = Directory::open(&spec.config_dir, readers)?;
        if let (Readers::User(account), Some(user)) = (readers, &spec.user)
            && let Some(closed) = account.closed_way(&spec.config_dir)
        {
            let why = format!("it does not get into {}, on the way to envoy.config_dir", closed.display());
            return Err(EnvoyError::User { user: user.to_string(), why });
        }
        let left = Process::left_in(&directory.layout)?;
        let is_running = left.is_some() || Admin::new(directory.layout.admin()).is_open().await;
        Ok(Self { program, directory, left, is_running })
    }

    /// Whether an Envoy has, or may have, the listeners' ports already.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.is_running
    }

    /// Writes Envoy's files and starts it, or takes over the one that runs, and keeps it running from then on.
    ///
    /// # Errors
    /// If a file cannot be written, or Envoy cannot be started.
    pub async fn start(self, policy: &Policy) -> Result<Started, EnvoyError> {
        let Self { program, directory, left, is_running } = self;
        let host = limits::host();
        let files = files::render(policy, host);
        let left = keep_if_fit(left, program.as_ref(), &directory, &files).await?;
        let before = is_running.then(|| directory.listeners());
        directory.write(&files)?;
        let directory = Arc::new(directory);
        let (offer, offered) = watch::channel(Offer::of(&files.lds).written());
        let observer = Observer::new(Arc::clone(&directory), host.families, offered);
        let state = observer.state.subscribe();
        let steering = Steering { host, files, directory, offer, state: observer.state.clone() };
        let (stop, stopped) = oneshot::channel();
        let task = match program {
            None => tokio::spawn(observe(observer, stopped)),
            Some(program) => {
                let mut keeper = Keeper { program, observer, backoff: Backoff::default(), log_from: 0 };
                let process = match left {
                    Some(process) => keeper.adopt(process),
                    None => keeper.spawn()?,
                };
                tokio::spawn(keeper.keep(process, stopped))
            }
        };
        Ok(Started { supervisor: Supervisor { task, stop: Some(stop) }, steering, state, before })
    }
}

/// The Envoy that was left behind, if it is what would be started; otherwise it is ended.
async fn keep_if_fit(
    left: Option<Leftover>,
    program: Option<&Program>,
    directory: &Directory,
    files: &Files,
) -> Result<Option<Process>, EnvoyError> {
    let Some(left) = left else { return Ok(None) };
    if program == Some(&left.program) && directory.has_bootstrap(files) {
        return Ok(Some(left.process));
    }
    tracing::info!(pid = left.process.pid, "the Envoy that was left behind was started in another way: it is ended");
    left.process.stop().await.map(|()| None)
}

impl Supervisor {
    /// Ends Envoy, if decider started it.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // If the task has ended there is nothing to be stopped.
            let _ = stop.send(());
        }
        if let Err(error) = (&mut self.task).await {
            tracing::error!(%error, "Envoy's supervisor ended before its time");
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ends the Envoy that a decider left behind in a directory; says whether there was one.
///
/// # Errors
/// If the directory is another's, or Envoy does not end.
pub async fn stop_leftover(config_dir: &Path) -> Result<bool, EnvoyError> {
    let Some(directory) = Directory::find(config_dir)? else { return Ok(false) };
    let Some(left) = Process::left_in(&directory.layout)? else { return Ok(false) };
    left.process.stop().await?;
    remove_traces(&directory);
    Ok(true)
}

fn remove_traces(directory: &Directory) {
    for path in [directory.layout.pid(), directory.layout.admin()] {
        if let Err(error) = Directory::remove(&path) {
            tracing::warn!(%error, "a file of Envoy's stays");
        }
    }
}

/// Asks an Envoy that somebody else keeps running.
async fn observe(mut observer: Observer, stopped: oneshot::Receiver<()>) {
    let forever = async {
        loop {
            observer.until_hung().await;
            observer.publish(|state| state.phase = Phase::Down);
            // Whoever keeps it running may start it again at any time.
            sleep(PACE).await;
        }
    };
    tokio::select! {
        () = forever => {}
        () = told(stopped) => {}
    }
}

/// Waits until told to stop. A supervisor that was dropped tells nothing: its task is about to be aborted.
async fn told(stopped: oneshot::Receiver<()>) {
    if stopped.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Starts Envoy again whenever it has ended.
struct Keeper {
    program: Program,
    observer: Observer,
    backoff: Backoff,
    /// Where the log of the present Envoy begins.
    log_from: u64,
}

impl Keeper {
    fn adopt(&mut self, process: Process) -> Process {
        tracing::info!(pid = process.pid, "taking over the Envoy that runs");
        self.observer.begin(process.pid, true);
        process
    }

    fn spawn(&mut self) -> Result<Process, EnvoyError> {
        self.log_from = logs::size(&self.observer.directory.layout.log());
        let process = Process::spawn(&self.program, &self.observer.directory)?;
        tracing::info!(pid = process.pid, "Envoy has been started");
        self.observer.begin(process.pid, false);
        Ok(process)
    }

    async fn keep(mut self, process: Process, stopped: oneshot::Receiver<()>) {
        let mut stopped = std::pin::pin!(told(stopped));
        let mut running = Some(process);
        loop {
            let pause = if let Some(process) = running.as_mut() {
                let ended = tokio::select! {
                    ended = process.exited() => ended,
                    () = self.observer.until_hung() => {
                        process.kill();
                        format!("it was silent for too long and has been killed; {}", process.exited().await)
                    }
                    () = &mut stopped => break,
                };
                running = None;
                self.note_end(&ended)
            } else {
                match self.spawn() {
                    Ok(process) => {
                        running = Some(process);
                        continue;
                    }
                    Err(error) => self.note_end(&error.to_string()),
                }
            };
            tokio::select! {
                () = sleep(pause) => self.observer.publish(|state| state.restarts += 1),
                () = &mut stopped => break,
            }
        }
        if let Some(process) = running
            && let Err(error) = process.stop().await
        {
            tracing::error!(%error, "Envoy has not been stopped");
        }
        remove_traces(&self.observer.directory);
    }

    /// Publishes that Envoy does not run, and why; says how long to wait before the next start.
    fn note_end(&mut self, ended: &str) -> std::time::Duration {
        let complaint = logs::last_complaint(&self.observer.directory.layout.log(), self.log_from);
        let reason = complaint.map_or_else(|| ended.to_owned(), |complaint| format!("{ended}: {complaint}"));
        let pause = self.backoff.after(self.observer.ran());
        tracing::error!(reason, ?pause, "Envoy has ended: it is started again after the pause");
        self.observer.publish(|state| {
            state.phase = Phase::Down;
            state.pid = None;
            state.adopted = false;
            state.listeners = std::sync::Arc::default();
            state.last_error = Some(reason);
        });
        pause
    }
}
