//! Packets that the kernel holds until somebody says what becomes of them (NFQUEUE).
//!
//! [`PacketQueue`] is what a worker needs of a queue; [`netlink`] and [`nfq`] are the backends. A worker owns one queue
//! and one thread: [`syn`] decides connections, [`dns`] watches questions and answers over UDP.
//! [`guard`] says what becomes of a DNS message, whatever carried it.

mod dns;
mod fast;
pub(crate) mod fault;
mod guard;
mod hit;
mod holder;
pub mod netlink;
mod nfq;
mod options;
mod recent;
mod refusal;
mod reply;
mod shared;
mod syn;
mod worker;

pub use dns::DnsWorker;
pub use fast::{FastFigures, FastPath, Pause};
pub use guard::{DnsGuard, Ends, Passage};
pub use hit::{Hits, LetThrough};
pub use holder::Holder;
pub use netlink::{BoundQueue, NetlinkQueue};
pub use nfq::NfqQueue;
pub use options::{Backend, OpenError, QueueOptions};
pub use refusal::{RefusedPacket, refusal};
pub use reply::{Replies, ReplySocket};
pub use shared::{Basis, Knowledge, Published, Readiness, Shared, Whereabouts};
pub use syn::SynWorker;
pub use worker::{Ended, Handler, panic_message, spawn};

use std::io;

/// Which netfilter hook holds the packet (`enum nf_inet_hooks`, linux/netfilter.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// `NF_INET_PRE_ROUTING` (0): from outside.
    Prerouting,
    /// `NF_INET_LOCAL_IN` (1): for a process here.
    Input,
    /// `NF_INET_LOCAL_OUT` (3): from a process here.
    Output,
    /// `NF_INET_POST_ROUTING` (4): about to leave.
    Postrouting,
    /// Any other number.
    Other(u8),
}

impl From<u8> for Hook {
    fn from(number: u8) -> Self {
        match number {
            0 => Self::Prerouting,
            1 => Self::Input,
            3 => Self::Output,
            4 => Self::Postrouting,
            other => Self::Other(other),
        }
    }
}

/// What the kernel is told about a held packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go on in the next base chain, with this whole mark (others' bits included).
    Accept {
        /// The packet's new mark.
        mark: u32,
    },
    /// Go on, mark untouched.
    Pass,
    /// Discard.
    Drop,
}

/// A packet that waits in the kernel.
pub trait HeldPacket {
    /// From the IP header on, as far as the copy range reaches.
    fn bytes(&self) -> &[u8];
    /// The packet's mark, all bits.
    fn mark(&self) -> u32;
    /// Index of the interface it came in on; 0 if it was made here.
    fn in_interface(&self) -> u32;
    /// The user whose process sent it, if one of this host did and the kernel says so.
    fn uid(&self) -> Option<u32> {
        None
    }
    /// Where it is held.
    fn hook(&self) -> Hook;
}

/// A source of held packets. One thread owns it.
pub trait PacketQueue {
    /// A packet of this queue.
    type Held<'a>: HeldPacket;

    /// Waits for packets, and has each that came judged in turn. They go on waiting until [`Self::answer`].
    ///
    /// # Errors
    /// What the socket says, also late news about earlier verdicts: the next call may well succeed. What was judged before
    /// is not affected.
    fn receive(&mut self, judge: impl FnMut(&Self::Held<'_>) -> Answer) -> io::Result<()>;

    /// Gives what was judged since the last call its verdicts.
    ///
    /// # Errors
    /// What the socket says; the packets then stay held until the queue is closed.
    fn answer(&mut self) -> io::Result<()>;
}
