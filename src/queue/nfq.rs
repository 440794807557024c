use std::io;

use nix::errno::Errno;

use super::{Answer, HeldPacket, Hook, PacketQueue};

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

/// The first descriptor behind the standard streams.
const FIRST_OF_OURS: i32 = 3;

/// A queue by way of the `nfq` crate: one `recv` and one `send` a packet.
pub struct NfqQueue {
    queue: nfq::Queue,
}

impl NfqQueue {
    /// Binds a queue. Do this before any rule can send packets to it: `nfq` throws away what arrives
    /// while a setting waits for its acknowledgement.
    ///
    /// # Errors
    /// If the number is taken or the system refuses (`CAP_NET_ADMIN` is needed).
    pub fn open(options: QueueOptions) -> Result<Self, OpenError> {
        let number = options.number;
        let failed = |operation| move |source| OpenError::System { operation, number, source };
        let mut queue = nfq::Queue::open().map_err(failed("open a socket for"))?;
        // The socket of `nfq` is inherited by every program that is started, and Envoy would hold the queue after our end.
        // It gives no descriptor away, and no other of ours is to be inherited either.
        close_fds::set_fds_cloexec_threadsafe(FIRST_OF_OURS, &[]);
        queue.bind(number).map_err(|source| match source.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EBUSY | Errno::EPERM) if taken(number) => OpenError::Taken(number),
            _ => OpenError::System { operation: "bind", number, source },
        })?;
        queue.set_copy_range(number, options.copy_range).map_err(failed("set the copy range of"))?;
        queue.set_queue_max_len(number, options.max_length).map_err(failed("set the length of"))?;
        // A kernel that does not tell does not: then nobody knows.
        let _ = queue.set_recv_uid_gid(number, true);
        Ok(Self { queue })
    }
}

/// Whether the kernel lists the queue: the error of a second bind is the same as that of a missing right.
fn taken(number: u16) -> bool {
    let listing = std::fs::read_to_string("/proc/self/net/netfilter/nfnetlink_queue");
    listing.is_ok_and(|text| {
        let number = number.to_string();
        text.lines().any(|line| line.split_whitespace().next() == Some(&number))
    })
}

impl PacketQueue for NfqQueue {
    type Held = nfq::Message;

    fn receive(&mut self) -> io::Result<Self::Held> {
        self.queue.recv()
    }

    fn answer(&mut self, mut held: Self::Held, answer: Answer) -> io::Result<()> {
        match answer {
            Answer::Accept { mark } => {
                held.set_nfmark(mark);
                held.set_verdict(nfq::Verdict::Accept);
            }
            Answer::Pass => held.set_verdict(nfq::Verdict::Accept),
            Answer::Drop => held.set_verdict(nfq::Verdict::Drop),
        }
        self.queue.verdict(held)
    }
}

impl HeldPacket for nfq::Message {
    fn bytes(&self) -> &[u8] {
        self.get_payload()
    }

    fn mark(&self) -> u32 {
        self.get_nfmark()
    }

    fn in_interface(&self) -> u32 {
        self.get_indev()
    }

    fn uid(&self) -> Option<u32> {
        self.get_uid()
    }

    fn hook(&self) -> Hook {
        match self.get_hook() {
            0 => Hook::Prerouting,
            1 => Hook::Input,
            3 => Hook::Output,
            4 => Hook::Postrouting,
            other => Hook::Other(other),
        }
    }
}
