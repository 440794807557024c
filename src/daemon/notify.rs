//! What a service manager is told. Nothing happens where there is none (`NOTIFY_SOCKET` unset).

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Signs of life in the time after which decider counts as dead: two may be missed.
const SIGNS: u32 = 3;

/// When a sign of life is due, if the service manager waits for any (`WATCHDOG_USEC`).
pub struct Watchdog(Option<Interval>);

impl Watchdog {
    /// As the service manager wants it. Must be called in a tokio runtime.
    pub fn new() -> Self {
        // `interval` does not take zero.
        Self(sd_notify::watchdog_enabled().map(|time| {
            let mut due = interval((time / SIGNS).max(Duration::from_millis(1)));
            due.set_missed_tick_behavior(MissedTickBehavior::Delay);
            due
        }))
    }

    /// Waits until the next sign of life is due; for ever if nobody waits for one.
    pub async fn due(&mut self) {
        match &mut self.0 {
            Some(due) => drop(due.tick().await),
            None => std::future::pending().await,
        }
    }
}

/// decider lives, and does its work.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// All is in force.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// A reload has begun; it ends with [`ready`], whatever comes of it.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the service manager could not be told"),
    }
}

/// The end has begun.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// One line for `systemctl status`.
pub fn status(line: &str) {
    tell(&[NotifyState::Status(line)]);
}

fn tell(state: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
