use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::control::QueueStatus;
use crate::kernel::QueueStats;
use crate::queue::{DnsWorker, Ended, NfqQueue, OpenError, QueueOptions, ReplySocket, Shared, SynWorker, spawn};
use crate::record::QueueCounters;

/// Bytes of a SYN that are copied: the longest headers of IPv4 (60) and TCP (60) fit. For IPv6 extension headers there
/// are 28 beside the longest of TCP; a SYN with more of them is refused as malformed.
const SYN_COPY: u16 = 128;
/// Bytes of a DNS message that are copied: all of it.
const DNS_COPY: u16 = u16::MAX;
/// SYNs that may wait in the kernel.
const SYN_LENGTH: u32 = 16_384;
/// DNS messages that may wait in the kernel.
const DNS_LENGTH: u32 = 4_096;

/// How long a packet may take that a worker has received.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a queue is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// New connections.
    Syn,
    /// Questions and answers.
    Dns,
}

/// The queues and the threads that serve them.
pub struct Workers {
    places: Vec<Place>,
    ended: mpsc::UnboundedSender<(usize, Ended)>,
}

/// One queue, through all the workers that it may have had.
pub struct Place {
    /// Its number.
    pub number: u16,
    /// What it is for.
    pub purpose: Purpose,
    counters: Arc<QueueCounters>,
    up: AtomicBool,
    panics: AtomicU64,
    /// What the kernel counted for the sockets before the present one.
    before: Mutex<Before>,
    last_look: Mutex<Look>,
}

/// What was seen of a worker's progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Look {
    /// Packets received by it.
    received: u64,
    /// Packets that wait for it, received or not.
    waiting: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Before {
    /// Packets that reached the queue.
    queued: u64,
    /// Packets that came to nothing: dropped, or in the queue when it was closed.
    dropped: u64,
    /// Packets received by the worker when the present socket began.
    received: u64,
}

/// The sums over the SYN queues that the kernel knows of.
#[derive(Clone, Copy, Debug, Default)]
pub struct KernelTotals {
    /// Packets that a rule sent to them.
    pub queued: u64,
    /// Packets that the kernel dropped.
    pub dropped: u64,
    /// Packets that wait.
    pub waiting: u64,
}

impl Workers {
    /// No worker runs yet. `ended` is told which place lost its worker, and how.
    #[must_use]
    pub fn new(first: u16, syn: u16, dns: u16, ended: mpsc::UnboundedSender<(usize, Ended)>) -> Self {
        let purposes = (0..syn).map(|_| Purpose::Syn).chain((0..dns).map(|_| Purpose::Dns));
        let places = (first..).zip(purposes).map(|(number, purpose)| Place::new(number, purpose)).collect();
        Self { places, ended }
    }

    /// Binds every queue and starts its worker. Before any rule sends packets there.
    ///
    /// # Errors
    /// If a queue cannot be had; those that were bound are closed again when their workers' process ends.
    pub fn start_all(&self, shared: &Arc<Shared>) -> Result<(), OpenError> {
        // First all sockets, then threads: a taken number is found before anything runs.
        let queues: Vec<NfqQueue> = self.places.iter().map(Place::open).collect::<Result<_, _>>()?;
        for (index, queue) in queues.into_iter().enumerate() {
            self.start(index, queue, shared)?;
        }
        Ok(())
    }

    /// Binds a queue anew whose worker ended.
    ///
    /// # Errors
    /// If the queue cannot be had.
    pub fn restart(&self, index: usize, shared: &Arc<Shared>) -> Result<(), OpenError> {
        let Some(place) = self.places.get(index) else { return Ok(()) };
        place.close_account();
        self.start(index, place.open()?, shared)
    }

    /// Notes that a worker ended.
    pub fn note_end(&self, index: usize, ended: &Ended) {
        if let Some(place) = self.places.get(index) {
            place.up.store(false, Ordering::Relaxed);
            if matches!(ended, Ended::Panicked(_)) {
                place.panics.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Whether every queue is served: each has its worker, and none has sat on packets since this was asked last.
    #[must_use]
    pub fn are_at_work(&self, stats: &[QueueStats]) -> bool {
        // Each one is looked at, whatever the ones before it do.
        self.places.iter().filter(|place| !place.is_at_work(stats)).count() == 0
    }

    /// Waits until every packet that was received before is done with: what was published in front of this call is what all
    /// later ones are decided by. Says whether that was so in time.
    pub async fn all_before_are_done(&self) -> bool {
        fence(Ordering::SeqCst);
        let under_way: Vec<(&Place, u64)> =
            self.places.iter().map(|place| (place, place.counters.received.value())).collect();
        let all = async {
            for (place, received) in under_way {
                // A worker that has ended is done with everything; what it broke on came to nothing.
                while place.is_up() && place.counters.answered.value() + place.broken() < received {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        };
        tokio::time::timeout(PATIENCE, all).await.is_ok()
    }

    /// The places, by index.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The sums over the SYN queues.
    #[must_use]
    pub fn totals(&self, stats: &[QueueStats]) -> KernelTotals {
        let mut totals = KernelTotals::default();
        for place in self.places.iter().filter(|place| place.purpose == Purpose::Syn) {
            let before = *place.before.lock().unwrap_or_else(PoisonError::into_inner);
            let now = stats.iter().find(|stats| stats.number == place.number);
            let (queued, dropped, waiting) = now.map_or((0, 0, 0), |now| {
                (now.id_sequence + now.queue_dropped, now.queue_dropped + now.user_dropped, now.waiting)
            });
            totals.queued += before.queued + queued;
            totals.dropped += before.dropped + dropped;
            totals.waiting += waiting;
        }
        totals
    }

    fn start(&self, index: usize, queue: NfqQueue, shared: &Arc<Shared>) -> Result<(), OpenError> {
        let Some(place) = self.places.get(index) else { return Ok(()) };
        let counters = Arc::clone(&place.counters);
        let ended = self.ended.clone();
        // The daemon ends by leaving its main loop; then nobody is left to be told.
        let report = move |end| drop(ended.send((index, end)));
        let shared = Arc::clone(shared);
        let failed = |operation| move |source| OpenError::System { operation, number: place.number, source };
        let spawned = match place.purpose {
            Purpose::Syn => spawn(format!("syn-{}", place.number), queue, SynWorker::new(shared), counters, report),
            Purpose::Dns => {
                let replies = ReplySocket::open().map_err(failed("open a raw socket for the replies of"))?;
                spawn(format!("dns-{}", place.number), queue, DnsWorker::new(shared, replies), counters, report)
            }
        };
        spawned.map_err(failed("start a thread for"))?;
        place.up.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl Place {
    fn new(number: u16, purpose: Purpose) -> Self {
        Self {
            number,
            purpose,
            counters: Arc::default(),
            up: AtomicBool::new(false),
            panics: AtomicU64::new(0),
            before: Mutex::default(),
            last_look: Mutex::default(),
        }
    }

    fn open(&self) -> Result<NfqQueue, OpenError> {
        let (copy_range, max_length) = match self.purpose {
            Purpose::Syn => (SYN_COPY, SYN_LENGTH),
            Purpose::Dns => (DNS_COPY, DNS_LENGTH),
        };
        NfqQueue::open(QueueOptions { number: self.number, copy_range, max_length })
    }

    /// Settles what the closed socket leaves: the kernel forgot its own figures, so all that is certain is what
    /// the worker received, and that the packet it broke on came to nothing.
    fn close_account(&self) {
        let received = self.counters.received.value();
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let since = received.saturating_sub(before.received);
        before.queued += since;
        before.dropped += 1;
        before.received = received;
    }

    fn is_at_work(&self, stats: &[QueueStats]) -> bool {
        let waiting = stats.iter().find(|stats| stats.number == self.number).map_or(0, |now| now.waiting);
        let look = Look { received: self.counters.received.value(), waiting };
        let last = std::mem::replace(&mut *self.last_look.lock().unwrap_or_else(PoisonError::into_inner), look);
        let sits = look.received == last.received && look.waiting > 0 && last.waiting > 0;
        self.is_up() && !sits
    }

    /// Packets that a worker ended on: they were received and never answered.
    fn broken(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Whether its worker runs.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// For `status`.
    #[must_use]
    pub fn status(&self, stats: &[QueueStats]) -> QueueStatus {
        let now = stats.iter().find(|stats| stats.number == self.number);
        QueueStatus {
            number: self.number,
            purpose: match self.purpose {
                Purpose::Syn => "syn".to_owned(),
                Purpose::Dns => "dns".to_owned(),
            },
            up: self.is_up(),
            waiting: now.map_or(0, |now| now.waiting),
            dropped_full: now.map_or(0, |now| now.queue_dropped),
            dropped_socket: now.map_or(0, |now| now.user_dropped),
            receive_errors: self.counters.receive_errors.value(),
            verdict_errors: self.counters.verdict_errors.value(),
            panics: self.panics.load(Ordering::Relaxed),
        }
    }
}
