use std::io::{self, IoSliceMut};
use std::os::fd::AsRawFd;

use arrayvec::ArrayVec;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, recvmmsg};

use super::{BoundQueue, MOST_TOGETHER};

/// Bytes for what the kernel tells of a packet beside its own bytes: more than all attributes that there are.
const ATTRIBUTES: usize = 1_024;

/// Memory for the datagrams that are received together.
pub struct Batch {
    headers: MultiHeaders<()>,
    memory: Box<[u8]>,
    /// Bytes of `memory` for each datagram.
    room: usize,
    /// Bytes of each datagram that came.
    lengths: ArrayVec<usize, MOST_TOGETHER>,
    /// How many of them have been taken out.
    taken: usize,
}

impl Batch {
    pub fn new(copy_range: u16) -> Self {
        let room = usize::from(copy_range) + ATTRIBUTES;
        Self {
            headers: MultiHeaders::preallocate(MOST_TOGETHER, None),
            // Memory that no packet ever filled stays with the system.
            memory: vec![0; room * MOST_TOGETHER].into_boxed_slice(),
            room,
            lengths: ArrayVec::new(),
            taken: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.taken == self.lengths.len()
    }

    /// Waits for a datagram, and takes those along that wait behind it. What was there before is gone.
    pub fn fill(&mut self, queue: &BoundQueue) -> io::Result<()> {
        self.lengths.clear();
        self.taken = 0;
        let mut rooms = self.memory.chunks_exact_mut(self.room);
        let mut slices: [_; MOST_TOGETHER] =
            std::array::from_fn(|_| [IoSliceMut::new(rooms.next().unwrap_or_default())]);
        let flags = MsgFlags::MSG_WAITFORONE;
        match recvmmsg(queue.as_raw_fd(), &mut self.headers, slices.iter_mut(), flags, None) {
            Ok(received) => self.lengths.extend(received.map(|message| message.bytes)),
            // A signal came first.
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// The next datagram.
    pub fn next(&mut self) -> Option<&[u8]> {
        let length = *self.lengths.get(self.taken)?;
        let start = self.taken * self.room;
        self.taken += 1;
        self.memory.get(start..start + length)
    }
}
