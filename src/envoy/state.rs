use std::collections::BTreeMap;
use std::sync::Arc;

use super::clusters::chain_name;
use super::host::Families;
use super::meaning::Listener;
use crate::policy::Route;

/// What Envoy does at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It has been started and does not serve yet.
    #[default]
    Starting,
    /// It serves.
    Live,
    /// It has served, and now does not answer.
    Silent,
    /// It does not run.
    Down,
}

/// Envoy as it was last heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvoyState {
    /// What it does.
    pub phase: Phase,
    /// Its process, if decider started it.
    pub pid: Option<u32>,
    /// Whether the process was started by a decider before this one.
    pub adopted: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// What was last heard of why something did not work.
    pub last_error: Option<String>,
    /// The listeners that accept connections in every family, with what is ready behind them.
    pub listeners: Arc<BTreeMap<String, Listener>>,
    /// The families in which there are listeners.
    pub families: Families,
}

impl EnvoyState {
    /// The word for it in `status`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self.phase {
            Phase::Starting => "starting",
            Phase::Live => "live",
            Phase::Silent => "silent",
            Phase::Down => "down",
        }
    }

    /// A line for people, with the reason where there is one.
    #[must_use]
    pub fn describe(&self) -> String {
        let what = match self.phase {
            Phase::Starting => "Envoy is starting",
            Phase::Live => "Envoy serves",
            Phase::Silent => "Envoy does not answer",
            Phase::Down => "Envoy does not run",
        };
        match &self.last_error {
            Some(error) if self.phase != Phase::Live => format!("{what} ({error})"),
            Some(_) | None => what.to_owned(),
        }
    }

    /// Its process, if decider started it.
    #[must_use]
    pub const fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Whether the process was started by a decider before this one.
    #[must_use]
    pub const fn adopted(&self) -> bool {
        self.adopted
    }

    /// Whether it serves; single listeners may be missing all the same.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.phase == Phase::Live
    }

    /// Whether a route's listener accepts connections, and leads them where the rule says.
    #[must_use]
    pub fn is_ready(&self, route: &Route) -> bool {
        let Route { rule, listener_port, .. } = route;
        let families = self.families.each();
        self.is_well()
            && self.listeners.get(rule.id.as_str()).is_some_and(|listener| {
                let leads = |port| families.iter().all(|&f| listener.chains.contains_key(&chain_name(rule, port, f)));
                listener.port == *listener_port && rule.ports.iter().all(|&port| leads(port))
            })
    }
}
