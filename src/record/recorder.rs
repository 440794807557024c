use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use jiff::Timestamp;
use tokio::sync::broadcast;

use crate::clock;
use crate::model::{Moment, Who};

use super::aggregate::Aggregator;
use super::decision_log::DecisionLog;
use super::{Event, Record, Ring, Tally};

/// Records that may wait between the workers and the recorder.
const CHANNEL: usize = 65_536;
/// Events that a follower may be behind before it misses some.
const FOLLOWER_LAG: usize = 16_384;
/// Events that are kept for `events`.
const RING: usize = 10_000;

/// Turns an interface index into its name.
type NameInterface = Box<dyn Fn(u32) -> Option<String> + Send>;
/// Finds out who of this host began what a record is about.
type Identify = Box<dyn FnMut(&Record) -> Who + Send>;

/// The thread that turns records into events: ring, followers, log.
pub struct Recorder {
    records: Receiver<Record>,
    shared: Arc<Shared>,
    aggregator: Aggregator,
    log: DecisionLog,
    name_interface: NameInterface,
    identify: Identify,
    rest: Duration,
}

struct Shared {
    ring: Mutex<Ring>,
    tally: Mutex<Tally>,
    followers: broadcast::Sender<Arc<Event>>,
}

/// What the rest of the daemon has of the recorder.
#[derive(Clone)]
pub struct RecorderHandle {
    /// Where workers `try_send` their records.
    pub records: Sender<Record>,
    shared: Arc<Shared>,
}

/// A stream of events from now on; says when it missed some.
pub type Follower = broadcast::Receiver<Arc<Event>>;

impl RecorderHandle {
    /// The last `count` events, oldest first, and a stream of those that come after them: none is in both or neither.
    #[must_use]
    pub fn follow(&self, count: usize) -> (Vec<Arc<Event>>, Follower) {
        let ring = self.shared.ring.lock().unwrap_or_else(PoisonError::into_inner);
        (ring.last(count), self.shared.followers.subscribe())
    }

    /// What was counted so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.shared.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Recorder {
    /// Starts the thread. It rests for so long after each record and what came with it: then nobody has to wake it.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(name_interface: NameInterface, identify: Identify, rest: Duration) -> io::Result<RecorderHandle> {
        let (sender, records) = bounded(CHANNEL);
        let shared = Arc::new(Shared {
            ring: Mutex::new(Ring::new(RING)),
            tally: Mutex::default(),
            followers: broadcast::Sender::new(FOLLOWER_LAG),
        });
        let handle = RecorderHandle { records: sender, shared: Arc::clone(&shared) };
        let recorder = Self {
            records,
            shared,
            aggregator: Aggregator::new(),
            log: DecisionLog::default(),
            name_interface,
            identify,
            rest,
        };
        thread::Builder::new().name("recorder".into()).spawn(move || recorder.run())?;
        Ok(handle)
    }

    /// Ends when every sender is gone. Wakes up on its own only while something is held back.
    fn run(mut self) {
        loop {
            let received = if self.aggregator.holds_back() {
                self.records.recv_timeout(Duration::from_millis(250))
            } else {
                self.records.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match received {
                Ok(record) => {
                    self.take(record);
                    self.take_what_waits();
                    thread::sleep(self.rest);
                }
                Err(RecvTimeoutError::Timeout) => {
                    let (shared, log, now) = (&self.shared, &mut self.log, clock::now());
                    self.aggregator.tick(now, |event| publish(shared, log, event, now));
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn take_what_waits(&mut self) {
        for _ in 0..self.records.len() {
            if let Ok(record) = self.records.try_recv() {
                self.take(record);
            }
        }
    }

    fn take(&mut self, record: Record) {
        let now = clock::now();
        let age = now.since(record.at);
        let ts = Timestamp::try_from(clock::wall()).unwrap_or_default();
        let ts = ts.checked_sub(age).unwrap_or(ts);
        let iface = match record.in_interface {
            0 => None,
            index => (self.name_interface)(index),
        };
        // First of all that takes time: the process may end at any moment.
        let who = (self.identify)(&record);
        self.shared.tally.lock().unwrap_or_else(PoisonError::into_inner).count(&record);
        let (shared, log) = (&self.shared, &mut self.log);
        let event = Event::from_record(record, ts, iface, who);
        self.aggregator.take(event, now, |event| publish(shared, log, event, now));
    }
}

fn publish(shared: &Shared, log: &mut DecisionLog, event: Event, now: Moment) {
    log.take(&event, now);
    let event = Arc::new(event);
    let mut ring = shared.ring.lock().unwrap_or_else(PoisonError::into_inner);
    ring.push(Arc::clone(&event));
    // No follower is no failure.
    let _ = shared.followers.send(event);
}
