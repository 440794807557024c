use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::model::{Verdict, words};

/// A number that only goes up; threads need not agree on its order with anything else.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// The number now.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What one worker saw of its queue.
#[derive(Debug, Default)]
pub struct QueueCounters {
    /// Packets that reached the worker.
    pub received: Count,
    /// Of those, packets that it is done with.
    pub answered: Count,
    /// Receive calls that failed, late news about verdicts among them.
    pub receive_errors: Count,
    /// Verdicts that could not be sent.
    pub verdict_errors: Count,
}

words! {
    /// What became of a DNS message in the queue.
    pub enum DnsOutcome {
        Question = "questions", "A question, let through.";
        Learned = "learned", "An answer that taught something.";
        TaughtNothing = "taught_nothing", "An answer to a question, without an address to learn.";
        Refused = "refused", "A question that decider answered by itself: the policy does not allow it.";
        Private = "private", "An answer for an allowed name with an address that is not believed: refused.";
        Unasked = "unasked", "An answer that nobody asked for: dropped, or let through in audit mode.";
        Late = "late", "An answer that came too long after its question: dropped, or let through in audit mode.";
        Malformed = "malformed", "Not a DNS message that can be read: dropped, or let through in audit mode.";
    }
}

/// All counters of a run.
#[derive(Debug, Default)]
pub struct Counters {
    /// SYNs let through by a rule.
    pub allowed: Count,
    /// SYNs refused.
    pub denied: Count,
    /// SYNs let through in audit mode only.
    pub audited: Count,
    /// Packets in the SYN queues that could not be read.
    pub malformed: Count,
    /// Retransmitted SYNs among the above: decided and recorded once.
    pub repeated_syns: Count,
    /// DNS replies of decider's own that could not be sent.
    pub lost_replies: Count,
    /// Records that found the channel to the recorder full.
    pub lost_records: Count,
    /// Observations that found the channel to the journal full.
    pub lost_journal: Count,
    /// SYNs that the kernel says it let through by itself.
    pub fast_told: Count,
    /// Retransmitted SYNs among those.
    pub fast_repeated: Count,
    dns: [Count; DnsOutcome::ALL.len()],
}

impl Counters {
    /// Counts a SYN's verdict.
    pub fn count(&self, verdict: Verdict) {
        match verdict {
            Verdict::Allow => self.allowed.add(1),
            Verdict::Deny => self.denied.add(1),
            Verdict::Audit => self.audited.add(1),
        }
    }

    /// The counter of a DNS outcome.
    #[must_use]
    pub fn dns(&self, outcome: DnsOutcome) -> &Count {
        #[expect(clippy::indexing_slicing, reason = "the array has a place for each outcome")]
        &self.dns[outcome as usize]
    }
}

/// The SYN counters as they are shown: `queued = allowed + denied + audited + malformed + dropped_by_kernel`
/// once no packet is under way. What the kernel let through by itself, in the place of a queue, is among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Packets that a rule sent to a SYN queue, as the kernel counts them, and those of the fast path.
    pub queued: u64,
    /// See [`Counters::allowed`]; and those of the fast path.
    pub allowed: u64,
    /// Of both, those of the fast path: no queue has seen them.
    #[serde(default)]
    pub fast: u64,
    /// See [`Counters::denied`].
    pub denied: u64,
    /// See [`Counters::audited`].
    pub audited: u64,
    /// See [`Counters::malformed`].
    pub malformed: u64,
    /// Packets that the kernel dropped: queue full, socket full, or queue closed with the packet in it.
    pub dropped_by_kernel: u64,
    /// Packets that wait for a verdict at this moment.
    pub waiting: u64,
    /// See [`Counters::repeated_syns`]; and those of the fast path.
    pub repeated_syns: u64,
}
