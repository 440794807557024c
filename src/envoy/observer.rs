use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::admin::{Admin, Answer};
use super::directory::Directory;
use super::host::Families;
use super::logs;
use super::meaning::Listener;
use super::offer::Offer;
use super::process::major_faults;
use super::silence::Silence;
use super::state::{EnvoyState, Phase};

/// How often Envoy is asked how it is.
pub const PACE: Duration = Duration::from_millis(250);
/// How often while something is expected to change.
const QUICK: Duration = Duration::from_millis(25);
/// How long after a start, or after its files were written, something is expected to change.
const EXPECTANT: Duration = Duration::from_secs(5);
/// How often it is asked for its listeners when all were there.
const LISTENERS: Duration = Duration::from_secs(5);
/// How often it is offered the listeners that it did not take.
const OFFER: Duration = Duration::from_secs(2);

/// Asks Envoy how it is, over and over.
pub struct Observer {
    /// Where Envoy's files are.
    pub directory: Arc<Directory>,
    /// Where what is found is published.
    pub state: watch::Sender<EnvoyState>,
    admin: Admin,
    families: Families,
    offer: watch::Receiver<Offer>,
    /// What the files said when the present Envoy was started, if this decider started it: it knows nothing of before.
    born_with: Option<Offer>,
    started: Instant,
    expecting: Instant,
    heard: Instant,
    silence: Silence,
    listed: Option<Instant>,
    offered: Instant,
}

impl Observer {
    /// Nothing was asked yet.
    pub fn new(directory: Arc<Directory>, families: Families, offer: watch::Receiver<Offer>) -> Self {
        let admin = Admin::new(directory.layout.admin());
        let (state, _) = watch::channel(EnvoyState { families, ..EnvoyState::default() });
        let now = Instant::now();
        Self {
            directory,
            state,
            admin,
            families,
            offer,
            born_with: None,
            started: now,
            expecting: now,
            heard: now,
            silence: Silence::default(),
            listed: None,
            offered: now,
        }
    }

    /// Forgets what was known of the Envoy before: another begins. One that is adopted may use anything.
    pub fn begin(&mut self, pid: u32, adopted: bool) {
        let now = Instant::now();
        (self.started, self.expecting, self.heard, self.listed, self.offered) = (now, now, now, None, now);
        self.silence = Silence::default();
        self.born_with = (!adopted).then(|| self.offer.borrow().clone());
        self.publish(|state| {
            state.phase = Phase::Starting;
            state.listeners = Arc::default();
            (state.pid, state.adopted) = (Some(pid), adopted);
        });
    }

    /// How long ago the present Envoy began.
    pub fn ran(&self) -> Duration {
        self.started.elapsed()
    }

    /// Publishes what has changed, if it has.
    pub fn publish(&self, change: impl FnOnce(&mut EnvoyState)) {
        self.state.send_if_modified(|state| {
            let before = state.clone();
            change(state);
            *state != before
        });
    }

    /// Asks until Envoy has been silent for too long.
    pub async fn until_hung(&mut self) {
        while !self.look().await {
            logs::keep_small(&self.directory, &self.admin).await;
            let quick = self.expecting.elapsed() < EXPECTANT && !self.is_complete();
            tokio::select! {
                () = sleep(if quick { QUICK } else { PACE }) => {}
                Ok(()) = self.offer.changed() => {
                    let now = Instant::now();
                    // What it does not take at first may still be on its way to it.
                    (self.expecting, self.offered, self.listed) = (now, now, None);
                }
            }
        }
    }

    fn is_complete(&self) -> bool {
        let state = self.state.borrow();
        state.phase == Phase::Live && state.listeners == *self.offer.borrow().listeners()
    }

    /// Says whether it is to be given up.
    async fn look(&mut self) -> bool {
        match self.admin.ready().await {
            Ok(Answer::Live) => {
                self.is_heard();
                self.look_at_listeners().await;
            }
            Ok(Answer::NotLive(word)) => {
                self.is_heard();
                self.publish(|state| {
                    state.phase = Phase::Starting;
                    state.last_error = Some(format!("it says `{word}`"));
                });
            }
            Err(error) => {
                self.silent(&error);
                let pid = self.state.borrow().pid;
                return self.silence.goes_on(self.heard.elapsed(), || major_faults(pid?));
            }
        }
        false
    }

    fn is_heard(&mut self) {
        (self.heard, self.silence) = (Instant::now(), Silence::default());
    }

    fn silent(&mut self, error: &io::Error) {
        // What is to be known is old now.
        self.listed = None;
        self.publish(|state| {
            if !matches!(state.phase, Phase::Starting | Phase::Down) {
                state.phase = Phase::Silent;
                state.last_error = Some(format!("its admin socket: {error}"));
            }
        });
    }

    async fn look_at_listeners(&mut self) {
        let complete = self.is_complete();
        if complete && self.listed.is_some_and(|listed| listed.elapsed() < LISTENERS) {
            return;
        }
        let offer = self.offer.borrow().clone();
        match self.in_use(&offer).await {
            Ok(in_use) => {
                self.listed = Some(Instant::now());
                let missing = in_use != **offer.listeners();
                self.publish(|state| {
                    state.phase = Phase::Live;
                    // Otherwise it was asked about something that is not wanted any more.
                    if self.offer.borrow().is_still(&offer) {
                        if !missing {
                            state.last_error = None;
                        }
                        if !missing {
                            // The very same, as long as nothing changes.
                            state.listeners = Arc::clone(offer.listeners());
                        } else if *state.listeners != in_use {
                            state.listeners = Arc::new(in_use);
                        }
                    }
                });
                if missing && self.offered.elapsed() > OFFER {
                    self.repeat(&offer).await;
                }
            }
            Err(error) => self.silent(&error),
        }
    }

    /// Which of the listeners Envoy has, and where each leads: its sockets alone say nothing of that.
    async fn in_use(&self, offer: &Offer) -> io::Result<BTreeMap<String, Listener>> {
        let listed = self.admin.listeners(self.families).await?;
        let known = Arc::clone(&self.state.borrow().listeners);
        let is_new = self.born_with.as_ref().is_some_and(|born_with| born_with.is_still(offer));
        let (mut in_use, mut unsure) = (BTreeMap::new(), Vec::new());
        for (name, listener) in offer.listeners().iter() {
            if listed.get(name) != Some(&listener.port) {
                continue;
            }
            if is_new || known.get(name) == Some(listener) {
                in_use.insert(name.clone(), listener.clone());
            } else {
                unsure.push(name.as_str());
            }
        }
        if !unsure.is_empty() {
            in_use.extend(self.admin.in_use(&unsure).await?);
            offer.keep(&mut in_use);
        }
        Ok(in_use)
    }

    /// Asks why listeners are missing, and offers them again: a port may have become free.
    async fn repeat(&mut self, offer: &Offer) {
        self.offered = Instant::now();
        let reasons = self.admin.refused().await.unwrap_or_default();
        // Held while the file is written: what is newer is not written over.
        let current = self.offer.borrow();
        if !current.is_still(offer) {
            return;
        }
        let written = self.directory.replace(&self.directory.layout.lds(), &offer.lds().to_write());
        drop(current);
        let reason = written.err().map(|error| error.to_string()).or_else(|| reasons.into_iter().next());
        if let Some(reason) = reason {
            self.publish(|state| state.last_error = Some(reason));
        }
    }
}
