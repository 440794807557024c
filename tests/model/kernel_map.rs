//! The kernel's map as a model: elements with an end, a lease, and a will of its own.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use decider::fast::{Element, FastMap, Key, MARGIN};
use decider::model::{Mark, Moment};

const LEASE: u64 = 3_000;

/// Milliseconds. The kernel's own clock stands still while the machine sleeps.
#[derive(Default)]
pub struct State {
    elements: HashMap<Key, (Mark, u64)>,
    leased_until: u64,
    /// What the kernel measures by.
    pub awake: u64,
    /// How much more time has passed.
    pub asleep: u64,
    /// What the next operations take.
    pub delay: u64,
    /// How many of the next ones fail.
    pub failures: u32,
    pub puts: usize,
}

#[derive(Clone, Default)]
pub struct KernelMap(Arc<Mutex<State>>);

impl KernelMap {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn now(&self) -> Moment {
        let state = self.state();
        Moment::from_nanos((state.awake + state.asleep) * 1_000_000)
    }

    /// What the kernel would let through now.
    pub fn decides(&self) -> Vec<(Key, Mark)> {
        let state = self.state();
        let counts = |end: u64| state.awake < end && state.awake < state.leased_until;
        state.elements.iter().filter(|(_, (_, end))| counts(*end)).map(|(key, (mark, _))| (*key, *mark)).collect()
    }
}

impl State {
    fn operate(&mut self) -> io::Result<()> {
        self.awake += std::mem::take(&mut self.delay);
        if self.failures > 0 {
            self.failures -= 1;
            return Err(io::Error::other("on purpose"));
        }
        Ok(())
    }
}

impl FastMap for KernelMap {
    fn put(&mut self, elements: &[Element], now: Moment) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        let awake = state.awake;
        for Element { key, mark, until } in elements {
            let left = until.since(now).saturating_sub(MARGIN);
            let there = state.elements.get(key).filter(|(_, end)| awake < *end);
            // An old kernel renews nothing.
            if there.is_none() {
                state.elements.insert(*key, (*mark, awake + u64::try_from(left.as_millis()).unwrap()));
                state.puts += 1;
            }
        }
        state.leased_until = awake + LEASE;
        Ok(())
    }

    fn remove(&mut self, keys: &[Key]) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        state.elements.retain(|key, _| !keys.contains(key));
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        state.elements.clear();
        state.leased_until = 0;
        Ok(())
    }

    fn lapse(&mut self) {
        let mut state = self.state();
        state.awake += u64::try_from(Duration::from_millis(LEASE).as_millis()).unwrap();
    }
}
