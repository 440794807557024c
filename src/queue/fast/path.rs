use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::dns::Pair;
use crate::fast::Key;
use crate::model::Moment;

use super::FastFigures;
use super::state::State;

/// Connections that wait to be looked at; more of them are decided in the queue again before they are.
const WAITING: usize = 1_024;

/// What is left to the kernel, and whoever may ask for more.
pub struct FastPath {
    asked: Sender<Key>,
    waiting: Receiver<Key>,
    /// A hint for whoever must not wait.
    is_open: AtomicBool,
    state: Mutex<State>,
}

impl Default for FastPath {
    /// One without a map.
    fn default() -> Self {
        let (asked, waiting) = bounded(WAITING);
        Self { asked, waiting, is_open: AtomicBool::new(false), state: Mutex::default() }
    }
}

impl fmt::Debug for FastPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FastPath").finish_non_exhaustive()
    }
}

impl FastPath {
    /// A connection was let through by a queue, or may be soon: those like it may be the kernel's. Never waits; what finds no
    /// place comes again.
    pub fn ask(&self, key: Key) {
        if self.is_open() {
            let _ = self.asked.try_send(key);
        }
    }

    /// Whether it is of any use to ask now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    /// What was asked.
    #[must_use]
    pub fn asked(&self) -> &Receiver<Key> {
        &self.waiting
    }

    /// Takes out all that clients' connections to addresses have: what is known of them is another thing now. On return the
    /// kernel decides nothing by it.
    pub fn withdraw(&self, pairs: &[Pair]) {
        if !pairs.is_empty() {
            self.change(|state| state.withdraw(pairs));
        }
    }

    /// Renews the lease where there is anything that needs it, and tries to mend what does not work.
    pub fn tend(&self, now: Moment) {
        self.change(|state| state.tend(now));
    }

    /// Whether somebody has to [`tend`](Self::tend) it.
    #[must_use]
    pub fn needs_care(&self) -> bool {
        self.state().needs_care()
    }

    /// Until when the kernel lets such connections through by itself, if it does.
    #[must_use]
    pub fn find(&self, key: &Key, now: Moment) -> Option<Moment> {
        self.state().table.find(key, now)
    }

    /// How it is.
    #[must_use]
    pub fn figures(&self) -> FastFigures {
        self.state().figures()
    }

    /// Changes the state, and tells those who do not look at it.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let result = change(&mut state);
        self.is_open.store(state.is_open(), Ordering::Relaxed);
        result
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
