use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::control::QueueStatus;
use crate::kernel::{QueueStats, queue_stats};
use crate::queue::{Backend, BoundQueue, Ended, NfqQueue, OpenError, Pause, QueueOptions, Shared};
use crate::record::QueueCounters;

use super::KernelTotals;

/// Bytes of a SYN that are copied: the longest headers of IPv4 (60) and TCP (60) fit. For IPv6 extension headers there
/// are 28 beside the longest of TCP; a SYN with more of them is refused as malformed.
const SYN_COPY: u16 = 128;
/// Bytes of a DNS message that are copied: all of it.
const DNS_COPY: u16 = u16::MAX;
/// SYNs that may wait in the kernel.
const SYN_LENGTH: u32 = 16_384;
/// DNS messages that may wait in the kernel.
const DNS_LENGTH: u32 = 4_096;
/// How often a queue by `nfq` is opened anew because packets came too early: a flood would bring them each time.
const NFQ_TRIES: u32 = 20;

/// What a queue is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// New connections.
    Syn,
    /// Questions and answers.
    Dns,
}

/// A bound queue that nobody serves yet.
pub enum Queue {
    Netlink(BoundQueue),
    Nfq(NfqQueue),
}

/// One queue, through all the workers that it may have had.
pub struct Place {
    /// Its number.
    pub number: u16,
    /// What it is for.
    pub purpose: Purpose,
    pub(super) counters: Arc<QueueCounters>,
    pub(super) up: AtomicBool,
    /// While its queue is closed: the kernel may not let through by itself what it would drop there.
    shut: Arc<Mutex<Option<Pause>>>,
    panics: AtomicU64,
    /// Packets that workers received and ended without an answer to.
    broken: AtomicU64,
    /// What came of the sockets before the present one.
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

/// What is certain of sockets that are closed: the kernel forgot its own figures.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    /// Packets that workers received.
    queued: u64,
    /// Of those, packets that they ended on.
    dropped: u64,
}

impl Place {
    pub(super) fn new(number: u16, purpose: Purpose) -> Self {
        Self {
            number,
            purpose,
            counters: Arc::default(),
            up: AtomicBool::new(false),
            shut: Arc::default(),
            panics: AtomicU64::new(0),
            broken: AtomicU64::new(0),
            before: Mutex::default(),
            last_look: Mutex::default(),
        }
    }

    pub(super) fn open(&self, backend: Backend) -> Result<Queue, OpenError> {
        let (copy_range, max_length) = match self.purpose {
            Purpose::Syn => (SYN_COPY, SYN_LENGTH),
            Purpose::Dns => (DNS_COPY, DNS_LENGTH),
        };
        let options = QueueOptions { number: self.number, copy_range, max_length };
        match backend {
            Backend::Netlink => BoundQueue::bind(options).map(Queue::Netlink),
            Backend::Nfq => self.open_by_nfq(options).map(Queue::Nfq),
        }
    }

    /// What came while `nfq` made its settings is thrown away by it, and would wait in the kernel for as long as the queue is
    /// open. Closing it drops that; the next one is hoped to be ready before a packet comes.
    fn open_by_nfq(&self, options: QueueOptions) -> Result<NfqQueue, OpenError> {
        let mut queue = NfqQueue::open(options)?;
        for _ in 0..NFQ_TRIES {
            if queue_stats().is_ok_and(|stats| self.of(&stats).id_sequence == 0) {
                break;
            }
            drop(queue);
            queue = NfqQueue::open(options)?;
        }
        Ok(queue)
    }

    /// Its worker has ended, and its socket is closed.
    pub(super) fn note_end(&self, ended: &Ended) {
        self.up.store(false, Ordering::Relaxed);
        let unanswered = self.counters.received.value().saturating_sub(self.counters.answered.value());
        self.broken.store(unanswered, Ordering::Relaxed);
        if matches!(ended, Ended::Panicked(_)) {
            self.panics.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What to do in the worker's thread as it ends.
    pub(super) fn shutter(&self, shared: &Arc<Shared>) -> impl FnOnce() + Send + 'static {
        let (shut, shared, purpose) = (Arc::clone(&self.shut), Arc::clone(shared), self.purpose);
        move || match purpose {
            Purpose::Syn => *shut.lock().unwrap_or_else(PoisonError::into_inner) = Some(shared.pause_fast()),
            Purpose::Dns => {}
        }
    }

    /// What its worker's end has left to be lifted, once there is another.
    pub(super) fn take_shut(&self) -> Option<Pause> {
        self.shut.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// There is no other yet.
    pub(super) fn keep_shut(&self, pause: Option<Pause>) {
        *self.shut.lock().unwrap_or_else(PoisonError::into_inner) = pause;
    }

    /// Settles what the closed socket leaves, before there is another.
    pub(super) fn close_account(&self) {
        let (queued, dropped) = (self.counters.received.value(), self.broken.load(Ordering::Relaxed));
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = Before { queued, dropped };
    }

    /// Packets that workers received and are done with, one way or the other.
    pub(super) fn done(&self) -> u64 {
        self.counters.answered.value() + self.broken.load(Ordering::Relaxed)
    }

    pub(super) fn totals(&self, stats: &[QueueStats]) -> KernelTotals {
        let Before { queued, dropped } = *self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.of(stats);
        KernelTotals {
            queued: queued + now.id_sequence + now.queue_dropped,
            dropped: dropped + now.queue_dropped + now.user_dropped,
            waiting: now.waiting,
        }
    }

    pub(super) fn is_at_work(&self, stats: &[QueueStats]) -> bool {
        let look = Look { received: self.counters.received.value(), waiting: self.of(stats).waiting };
        let last = std::mem::replace(&mut *self.last_look.lock().unwrap_or_else(PoisonError::into_inner), look);
        let sits = look.received == last.received && look.waiting > 0 && last.waiting > 0;
        self.is_up() && !sits
    }

    /// Whether its worker runs.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// For `status`.
    #[must_use]
    pub fn status(&self, stats: &[QueueStats]) -> QueueStatus {
        let now = self.of(stats);
        QueueStatus {
            number: self.number,
            purpose: match self.purpose {
                Purpose::Syn => "syn".to_owned(),
                Purpose::Dns => "dns".to_owned(),
            },
            up: self.is_up(),
            waiting: now.waiting,
            dropped_full: now.queue_dropped,
            dropped_socket: now.user_dropped,
            receive_errors: self.counters.receive_errors.value(),
            verdict_errors: self.counters.verdict_errors.value(),
            panics: self.panics.load(Ordering::Relaxed),
        }
    }

    /// What the kernel counts of its present socket, if there is one.
    fn of(&self, stats: &[QueueStats]) -> QueueStats {
        stats.iter().find(|stats| stats.number == self.number).copied().unwrap_or_default()
    }
}
