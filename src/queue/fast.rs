use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::dns::Pair;
use crate::fast::{CAPACITY, Element, FastMap, Key, MARGIN, Table, grounds, next_end};
use crate::model::{ClientId, Moment};
use crate::policy::{Mode, Policy};

use super::shared::Shared;

/// Connections that wait to be looked at; more of them are decided in the queue again before they are.
const WAITING: usize = 1_024;
/// What has less time left is not worth an element.
const LEAST: Duration = Duration::from_secs(2);

/// What is left to the kernel, and taken from it again.
///
/// Who changes what is known, published or ready takes out first what rests on it: [`withdraw`](Self::withdraw) for one pair of
/// client and address, [`Shared::pause_fast`] for everything. An element is put in while the lock is held under which it was
/// decided; so whoever changes something either is seen by that decision, or waits for the element and takes it out.
pub struct FastPath {
    asked: Sender<Key>,
    waiting: Receiver<Key>,
    /// A hint for whoever must not wait.
    is_open: AtomicBool,
    state: Mutex<State>,
}

struct State {
    map: Option<Box<dyn FastMap>>,
    table: Table,
    /// Whether the policy wants it.
    is_wanted: bool,
    /// Who keeps it empty.
    pauses: u32,
    /// Why the map cannot be used.
    trouble: Option<String>,
}

/// How it is with the fast path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FastFigures {
    /// Whether the policy wants it and there are clients for it.
    pub is_wanted: bool,
    /// Elements in the kernel's map.
    pub elements: usize,
    /// Why the map cannot be used now: everything is decided in the queue.
    pub trouble: Option<String>,
}

/// As long as there is one, the map is empty and stays so.
pub struct Pause(Arc<Shared>);

impl Default for FastPath {
    /// One without a map.
    fn default() -> Self {
        let (asked, waiting) = bounded(WAITING);
        let table = Table::new(CAPACITY);
        let state = State { map: None, table, is_wanted: false, pauses: 0, trouble: None };
        Self { asked, waiting, is_open: AtomicBool::new(false), state: Mutex::new(state) }
    }
}

impl fmt::Debug for FastPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FastPath").finish_non_exhaustive()
    }
}

impl FastPath {
    /// A connection was let through by a queue: those like it may be the kernel's. Never waits; what finds no place comes again.
    pub fn ask(&self, key: Key) {
        if self.is_open.load(Ordering::Relaxed) {
            let _ = self.asked.try_send(key);
        }
    }

    /// What was asked.
    #[must_use]
    pub fn asked(&self) -> &Receiver<Key> {
        &self.waiting
    }

    /// Takes out all that clients' connections to addresses have: what is known of them is another thing now. On return the
    /// kernel decides nothing by it.
    pub fn withdraw(&self, pairs: &[Pair]) {
        if pairs.is_empty() {
            return;
        }
        let mut state = self.state();
        let keys: Vec<Key> = pairs.iter().flat_map(|(client, dst)| state.table.take(client.0, *dst)).collect();
        if keys.is_empty() {
            return;
        }
        let removed = state.map.as_mut().map_or(Ok(()), |map| map.remove(&keys));
        if let Err(error) = removed {
            state.failed("take elements out", &error);
        }
        self.tell(&state);
    }

    /// Renews the lease where there is anything that needs it, and tries to mend what does not work.
    pub fn tend(&self, now: Moment) {
        let mut state = self.state();
        state.table.expire(now);
        if state.trouble.is_some() {
            state.mend();
        } else if !state.table.is_empty() {
            let renewed = state.map.as_mut().map_or(Ok(()), |map| map.put(&[], now));
            if let Err(error) = renewed {
                state.failed("renew the lease", &error);
            }
        }
        self.tell(&state);
    }

    /// Whether somebody has to [`tend`](Self::tend) it.
    #[must_use]
    pub fn needs_care(&self) -> bool {
        let state = self.state();
        !state.table.is_empty() || state.trouble.is_some()
    }

    /// Until when the kernel lets such connections through by itself, if it does.
    #[must_use]
    pub fn find(&self, key: &Key, now: Moment) -> Option<Moment> {
        self.state().table.find(key, now)
    }

    /// How it is.
    #[must_use]
    pub fn figures(&self) -> FastFigures {
        let state = self.state();
        let (elements, trouble) = (state.table.len(), state.trouble.clone());
        FastFigures { is_wanted: state.is_wanted, elements, trouble }
    }

    /// Says that there can be no map, and why.
    pub fn is_impossible(&self, why: String) {
        let mut state = self.state();
        (state.map, state.trouble) = (None, Some(why));
        self.tell(&state);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, state: &State) {
        self.is_open.store(state.is_open(), Ordering::Relaxed);
    }
}

impl State {
    fn is_open(&self) -> bool {
        self.is_wanted && self.pauses == 0 && self.trouble.is_none() && self.map.is_some()
    }

    /// Something did not work: what the map holds is unknown, so it is emptied.
    fn failed(&mut self, what: &str, error: &io::Error) {
        let trouble = format!("the kernel did not {what}: {error}");
        self.empty();
        self.trouble.get_or_insert(trouble);
    }

    /// On return nothing in the map counts.
    fn empty(&mut self) {
        self.table.clear();
        let Some(map) = &mut self.map else { return };
        if let Err(error) = map.clear() {
            map.lapse();
            self.trouble = Some(format!("the kernel did not empty the map: {error}"));
        }
    }

    fn mend(&mut self) {
        if self.map.as_mut().is_some_and(|map| map.clear().is_ok()) {
            self.trouble = None;
        }
    }
}

impl Shared {
    /// Gives the fast path its map, empty as it is, to use as the policy in force says.
    pub fn start_fast(&self, map: Box<dyn FastMap>) {
        let mut state = self.fast.state();
        state.map = Some(map);
        state.is_wanted = is_wanted(&self.published.load().policy);
        self.fast.tell(&state);
    }

    /// Leaves to the kernel what may be left to it of these. The clock is asked before and after: what took longer than it may
    /// is taken out again.
    pub fn fill_fast(&self, keys: &[Key], clock: impl Fn() -> Moment) {
        let mut state = self.fast.state();
        if !state.is_open() {
            return;
        }
        let now = clock();
        let end = next_end(&self.published.load().policy, now);
        let elements: Vec<Element> =
            keys.iter().filter_map(|key| self.element(&mut state.table, *key, now, end)).collect();
        if elements.is_empty() {
            return;
        }
        let put = state.map.as_mut().map_or(Ok(()), |map| map.put(&elements, now));
        let put = put.and_then(|()| match clock().since(now) {
            took if took > MARGIN => Err(io::Error::other(format!("it took {took:?}"))),
            _ => Ok(()),
        });
        if let Err(error) = put {
            state.failed("take elements in", &error);
        }
        self.fast.tell(&state);
    }

    /// The element of a connection, if it may have one and there is room; its observation is lent then.
    fn element(&self, table: &mut Table, key: Key, now: Moment, end: Option<Moment>) -> Option<Element> {
        let client = self.client(key.client);
        if client == ClientId::HOST || table.find(&key, now).is_some() {
            return None;
        }
        let published = self.published.load();
        let mut knowledge = self.knowledge.about(key.dst);
        let known = knowledge.about(key.dst, client, published.policy.spec().dns.scope, now);
        let grounds = grounds(&published.policy, &known, &key, |route| published.readiness.is_ready(route))?;
        let until = end.map_or(grounds.until, |end| end.min(grounds.until));
        let element = Element { key, mark: grounds.mark, until };
        let is_worth_it = until.since(now) >= LEAST && table.put(&element);
        is_worth_it.then(|| {
            knowledge.lend(client, key.dst);
            element
        })
    }

    /// Empties the map, and keeps it empty as long as the pause lasts: for whoever changes what everything rests on.
    #[must_use]
    pub fn pause_fast(self: &Arc<Self>) -> Pause {
        self.close_fast();
        Pause(Arc::clone(self))
    }

    /// Empties the map for good.
    pub fn close_fast(&self) {
        let mut state = self.fast.state();
        state.pauses = state.pauses.saturating_add(1);
        if !state.table.is_empty() {
            state.empty();
        }
        self.fast.tell(&state);
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        let Self(shared) = self;
        let mut state = shared.fast.state();
        state.pauses = state.pauses.saturating_sub(1);
        state.is_wanted = is_wanted(&shared.published.load().policy);
        shared.fast.tell(&state);
    }
}

/// Whether a policy wants the kernel to decide, and there is anybody whose connections it could decide.
fn is_wanted(policy: &Policy) -> bool {
    let spec = policy.spec();
    spec.fast_path && spec.mode == Mode::Enforce && !spec.gateway.interfaces.is_empty()
}
