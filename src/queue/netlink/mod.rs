//! A queue by messages of our own (`linux/netfilter/nfnetlink_queue.h`): the packets that wait are received by one system
//! call, and their verdicts given by another.
//!
//! `message` reads what the kernel says and `request` writes what it is told, both without a look at anything but bytes.

mod batch;
mod message;
mod request;
mod socket;
mod verdicts;

use std::io;

pub use message::{Held, Message};
pub use socket::BoundQueue;

use super::{Answer, PacketQueue};
use batch::Batch;
use verdicts::Verdicts;

/// Packets that are received by one call, at most. A verdict waits for those of all that came with its packet.
pub(super) const MOST_TOGETHER: usize = 64;

/// A bound queue with the memory for the packets that come together.
pub struct NetlinkQueue {
    bound: BoundQueue,
    batch: Batch,
    verdicts: Verdicts,
}

impl NetlinkQueue {
    /// In the thread that serves it: the memory is made once, and stays there.
    #[must_use]
    pub fn new(bound: BoundQueue) -> Self {
        Self { batch: Batch::new(bound.copy_range()), verdicts: Verdicts::new(bound.number()), bound }
    }
}

impl PacketQueue for NetlinkQueue {
    type Held<'a> = Held<'a>;

    fn receive(&mut self, mut judge: impl FnMut(&Held<'_>) -> Answer) -> io::Result<()> {
        // What stood behind an error still waits.
        if self.batch.is_empty() {
            self.batch.fill(&self.bound)?;
        }
        while let Some(message) = self.batch.next() {
            match Message::read(message) {
                Some(Message::Packet(held)) => self.verdicts.push(held.id, judge(&held)),
                Some(Message::Refused(error)) => return Err(io::Error::from_raw_os_error(error)),
                Some(Message::Other) => {}
                None => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        Ok(())
    }

    fn answer(&mut self) -> io::Result<()> {
        // The kernel takes no message of no bytes.
        if self.verdicts.messages().is_empty() {
            return Ok(());
        }
        let sent = self.bound.send(self.verdicts.messages());
        self.verdicts.clear();
        sent
    }
}
