use std::io;

use nix::errno::Errno;

/// Which code talks to the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// decider's own: packets that wait are received together, and answered together.
    #[default]
    Netlink,
    /// The `nfq` crate: one by one.
    Nfq,
}

impl Backend {
    /// As it is written on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Netlink => "netlink",
            Self::Nfq => "nfq",
        }
    }
}

/// How a queue is set up.
#[derive(Clone, Copy, Debug)]
pub struct QueueOptions {
    /// The queue's number.
    pub number: u16,
    /// Bytes of each packet that are copied here, from the IP header on.
    pub copy_range: u16,
    /// Packets that may wait in the kernel; more are dropped.
    pub max_length: u32,
}

/// Why a queue could not be had.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody else listens on it.
    #[error("queue {0} is taken by another program")]
    Taken(u16),
    /// Anything else, with what was tried.
    #[error("cannot {operation} queue {number}: {source}")]
    System {
        /// What was tried.
        operation: &'static str,
        /// The queue.
        number: u16,
        /// The system's answer.
        source: io::Error,
    },
}

impl OpenError {
    /// The kernel would not bind the queue. Its error is the same whether the queue is taken or a right is missing.
    pub(super) fn bind(number: u16, source: io::Error) -> Self {
        match source.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EBUSY | Errno::EPERM) if is_listed(number) => Self::Taken(number),
            _ => Self::System { operation: "bind", number, source },
        }
    }
}

fn is_listed(number: u16) -> bool {
    let listing = std::fs::read_to_string("/proc/self/net/netfilter/nfnetlink_queue");
    listing.is_ok_and(|text| {
        let number = number.to_string();
        text.lines().any(|line| line.split_whitespace().next() == Some(&number))
    })
}
