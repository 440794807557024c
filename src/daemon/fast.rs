use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use crossbeam_channel::RecvTimeoutError;

use crate::clock;
use crate::control::FastPathStatus;
use crate::fast::CAPACITY;
use crate::kernel::{Attendance, FastMaps, Features};
use crate::queue::{FastFigures, Shared};
use crate::record::{Throttle, Told};

/// How often the lease is renewed, and what does not work is tried again.
const TEND: Duration = Duration::from_secs(1);
/// Connections that are looked at together.
const TOGETHER: usize = 256;
/// How far the two clocks may seem apart that differ by what the machine slept.
const ASLEEP: Duration = Duration::from_millis(100);

/// Starts the thread that puts elements into the kernel's maps.
///
/// # Errors
/// If the system gives no thread.
pub fn start(maps: FastMaps, shared: Arc<Shared>) -> io::Result<()> {
    shared.start_fast(Box::new(maps));
    thread::Builder::new().name("fast-path".into()).spawn(move || Writer::new(shared).run())?;
    Ok(())
}

/// How it is with the fast path on a kernel with these features, of which the ruleset has counted so many SYNs. That counter is
/// lost where another program flushes the ruleset; what was told of is not.
pub fn status(shared: &Shared, features: Features, allowed: u64) -> FastPathStatus {
    let FastFigures { is_wanted, elements, trouble } = shared.fast.figures();
    let state = match (is_wanted, trouble) {
        (false, _) => "off",
        (true, None) => "on",
        (true, Some(_)) => "shut",
    };
    let marks = shared.published.load().policy.spec().marks;
    let ends_with = match (is_wanted, features.owned_tables && Attendance::of(marks).is_some()) {
        (false, _) => "",
        (true, true) => "process",
        (true, false) => "lease",
    };
    let (told, repeated) = (shared.counters.fast_told.value(), shared.counters.fast_repeated.value());
    FastPathStatus {
        state: state.to_owned(),
        ends_with: ends_with.to_owned(),
        elements,
        capacity: CAPACITY,
        allowed: allowed.max(told),
        told,
        repeated,
    }
}

/// Who puts elements into the maps. Packets never wait for it.
struct Writer {
    shared: Arc<Shared>,
    /// How long the machine had slept so far: the kernel's timeouts do not count that time.
    asleep: Duration,
    failures: Throttle,
}

impl Writer {
    fn new(shared: Arc<Shared>) -> Self {
        Self { shared, asleep: clock::asleep(), failures: Throttle::default() }
    }

    fn run(mut self) {
        let mut tended = clock::now();
        let asked = self.shared.fast.asked().clone();
        loop {
            let first = if self.shared.fast.needs_care() {
                asked.recv_timeout(TEND)
            } else {
                asked.recv().map_err(RecvTimeoutError::from)
            };
            self.notice_sleep();
            match first {
                Ok(first) => {
                    let keys: Vec<_> = [first].into_iter().chain(asked.try_iter().take(TOGETHER - 1)).collect();
                    self.shared.fill_fast(&keys, clock::now);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if clock::now().since(tended) >= TEND {
                self.shared.fast.tend(clock::now());
                tended = clock::now();
                self.tell_log();
            }
        }
    }

    /// What was put in before the machine slept may outlast what it rests on.
    fn notice_sleep(&mut self) {
        let asleep = clock::asleep();
        if asleep.saturating_sub(self.asleep) > ASLEEP {
            self.asleep = asleep;
            drop(self.shared.pause_fast());
        }
    }

    fn tell_log(&mut self) {
        let Some(trouble) = self.shared.fast.figures().trouble else {
            if self.failures.works() {
                tracing::warn!("the fast path is open again");
            }
            return;
        };
        if let Some(Told { left_out }) = self.failures.fails(&trouble, clock::now()) {
            tracing::error!(trouble, left_out, "the fast path is shut: every SYN goes to a queue");
        }
    }
}
