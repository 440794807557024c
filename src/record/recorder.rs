use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use jiff::Timestamp;
use tokio::sync::broadcast;

use crate::clock;
use crate::model::Verdict;

use super::aggregate::Aggregator;
use super::{Event, Record, Ring};

/// Records that may wait between the workers and the recorder.
const CHANNEL: usize = 65_536;
/// Events that a follower may be behind before it misses some.
const FOLLOWER_LAG: usize = 16_384;
/// Events that are kept for `events`.
const RING: usize = 10_000;

/// Turns an interface index into its name.
type NameInterface = Box<dyn Fn(u32) -> Option<String> + Send>;

/// The thread that turns records into events: ring, followers, log.
pub struct Recorder {
    records: Receiver<Record>,
    shared: Arc<Shared>,
    aggregator: Aggregator,
    name_interface: NameInterface,
}

struct Shared {
    ring: Mutex<Ring>,
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
}

impl Recorder {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(name_interface: NameInterface) -> io::Result<RecorderHandle> {
        let (sender, records) = bounded(CHANNEL);
        let shared =
            Arc::new(Shared { ring: Mutex::new(Ring::new(RING)), followers: broadcast::Sender::new(FOLLOWER_LAG) });
        let handle = RecorderHandle { records: sender, shared: Arc::clone(&shared) };
        let recorder = Self { records, shared, aggregator: Aggregator::new(), name_interface };
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
                Ok(record) => self.take(record),
                Err(RecvTimeoutError::Timeout) => {
                    let shared = &self.shared;
                    self.aggregator.tick(clock::now(), |event| publish(shared, event));
                }
                Err(RecvTimeoutError::Disconnected) => return,
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
        let shared = &self.shared;
        let event = Event::from_record(record, ts, iface);
        self.aggregator.take(event, now, |event| publish(shared, event));
    }
}

fn publish(shared: &Shared, event: Event) {
    log(&event);
    let event = Arc::new(event);
    let mut ring = shared.ring.lock().unwrap_or_else(PoisonError::into_inner);
    ring.push(Arc::clone(&event));
    // No follower is no failure.
    let _ = shared.followers.send(event);
}

/// The other names, if there are any: the log has no lists.
fn also(event: &Event) -> Option<String> {
    let names: Vec<&str> = event.also.iter().map(crate::model::DomainName::as_str).collect();
    (!names.is_empty()).then(|| names.join(" "))
}

fn log(event: &Event) {
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                target: "decider::decision",
                ts = %event.ts,
                verdict = event.verdict.as_str(),
                reason = event.reason.as_str(),
                rule = event.rule.as_ref().map(crate::model::RuleId::as_str),
                domain = event.domain.as_ref().map(crate::model::DomainName::as_str),
                client = %event.client,
                client_port = event.client_port,
                dst = %event.dst,
                dst_port = event.dst_port,
                proto = event.proto,
                mark = event.mark,
                iface = event.iface,
                path = event.path.as_str(),
                waited_us = event.waited_us,
                also = also(event),
                repeated = event.repeated,
            )
        };
    }
    match event.verdict {
        Verdict::Allow => line!(debug),
        Verdict::Deny | Verdict::Audit => line!(info),
    }
}
