use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::admin::{Admin, Answer};
use super::directory::Directory;
use super::host::Families;
use super::logs;
use super::state::{EnvoyState, Phase};

/// How often Envoy is asked how it is.
const PACE: Duration = Duration::from_millis(250);
/// How often while something is expected to change.
const QUICK: Duration = Duration::from_millis(25);
/// How long after a start something is expected to change.
const EXPECTANT: Duration = Duration::from_secs(5);
/// How often it is asked for its listeners when all were there.
const LISTENERS: Duration = Duration::from_secs(5);
/// How often it is offered the listeners that it did not take.
const OFFER: Duration = Duration::from_secs(2);
/// Who is silent for this long does not come back by itself.
const HUNG: Duration = Duration::from_secs(30);

/// Asks Envoy how it is, over and over.
pub struct Observer {
    /// Where Envoy's files are.
    pub directory: Directory,
    /// Where what is found is published.
    pub state: watch::Sender<EnvoyState>,
    admin: Admin,
    families: Families,
    lds: Value,
    /// The listeners that there should be.
    wanted: BTreeMap<String, u16>,
    started: Instant,
    heard: Instant,
    listed: Option<Instant>,
    offered: Instant,
}

impl Observer {
    /// Nothing was asked yet.
    pub fn new(directory: Directory, families: Families, lds: Value, wanted: BTreeMap<String, u16>) -> Self {
        let admin = Admin::new(directory.layout.admin());
        let (state, _) = watch::channel(EnvoyState::default());
        let now = Instant::now();
        Self { directory, state, admin, families, lds, wanted, started: now, heard: now, listed: None, offered: now }
    }

    /// Forgets what was known of the Envoy before: another begins.
    pub fn begin(&mut self, change: impl FnOnce(&mut EnvoyState)) {
        let now = Instant::now();
        (self.started, self.heard, self.listed, self.offered) = (now, now, None, now);
        self.publish(|state| {
            state.phase = Phase::Starting;
            state.listeners = Arc::default();
            change(state);
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
        while self.heard.elapsed() < HUNG {
            self.look().await;
            logs::keep_small(&self.directory.layout, &self.admin).await;
            let quick = self.started.elapsed() < EXPECTANT && !self.is_complete();
            sleep(if quick { QUICK } else { PACE }).await;
        }
    }

    fn is_complete(&self) -> bool {
        let state = self.state.borrow();
        state.phase == Phase::Live && *state.listeners == self.wanted
    }

    async fn look(&mut self) {
        match self.admin.ready().await {
            Ok(Answer::Live) => {
                self.heard = Instant::now();
                self.look_at_listeners().await;
            }
            Ok(Answer::NotLive(word)) => {
                self.heard = Instant::now();
                self.publish(|state| {
                    state.phase = Phase::Starting;
                    state.last_error = Some(format!("it says `{word}`"));
                });
            }
            Err(error) => self.silent(&error),
        }
    }

    fn silent(&mut self, error: &std::io::Error) {
        // What is to be known is old now.
        self.listed = None;
        self.publish(|state| {
            if state.phase != Phase::Starting {
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
        match self.admin.listeners(self.families).await {
            Ok(mut listeners) => {
                self.listed = Some(Instant::now());
                listeners.retain(|name, port| self.wanted.get(name) == Some(port));
                let missing = listeners != self.wanted;
                self.publish(|state| {
                    state.phase = Phase::Live;
                    if !missing {
                        state.last_error = None;
                    }
                    if *state.listeners != listeners {
                        state.listeners = Arc::new(listeners);
                    }
                });
                if missing && self.offered.elapsed() > OFFER {
                    self.offer().await;
                }
            }
            Err(error) => self.silent(&error),
        }
    }

    /// Asks why listeners are missing, and offers them again: a port may have become free.
    async fn offer(&mut self) {
        self.offered = Instant::now();
        let reasons = self.admin.refused().await.unwrap_or_default();
        let path = self.directory.layout.lds();
        let written = self.directory.replace(&path, &self.lds);
        let reason = written.err().map(|error| error.to_string()).or_else(|| reasons.into_iter().next());
        if let Some(reason) = reason {
            self.publish(|state| state.last_error = Some(reason));
        }
    }
}
