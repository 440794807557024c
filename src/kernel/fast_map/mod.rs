mod change;
mod item;

use std::io;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;

use super::KernelError;
use super::names::{FAST_LEASE, FAST_MAPS};
use super::nft_socket::NftSocket;
use crate::fast::{Element, FastMap, Key};
use crate::model::{Mark, Moment};
use change::{Change, in_families};

/// How long the maps count without a word from decider. It is renewed three times in that time.
const LEASE: Duration = Duration::from_secs(3);
/// Elements in one message: its length has 16 bits.
const TOGETHER: usize = 256;

/// The maps of decider's table by which the kernel decides alone, one a family, and their lease.
pub struct FastMaps {
    socket: NftSocket,
}

impl FastMaps {
    /// A socket to change them by.
    ///
    /// # Errors
    /// If there is none to be had.
    pub fn open() -> Result<Self, KernelError> {
        let failed = |source| KernelError::netlink("open a socket for the fast path", source);
        NftSocket::open().map(|socket| Self { socket }).map_err(failed)
    }

    /// By which the kernel tells whose changes are these (`nlmsg_pid`).
    #[must_use]
    pub const fn port(&self) -> u32 {
        self.socket.port()
    }

    /// Makes all of the changes, or none.
    fn commit(&mut self, changes: Vec<Change>) -> io::Result<()> {
        self.socket.commit(changes.into_iter().map(Into::into).collect())
    }
}

impl FastMap for FastMaps {
    fn put(&mut self, elements: &[Element], now: Moment) -> io::Result<()> {
        // Before Linux 6.12 an element that is there keeps its time when it is added again.
        let lease = vec![item::mark(Mark(0), LEASE)];
        let mut changes = vec![Change::Flush(FAST_LEASE), Change::Add(FAST_LEASE, lease)];
        for chunk in elements.chunks(TOGETHER) {
            let placed = |element: &Element| item::placed(element, now);
            changes.extend(in_families(chunk, |element| element.key, placed, Change::Add));
        }
        self.commit(changes)
    }

    fn remove(&mut self, keys: &[Key]) -> io::Result<()> {
        let removal = |keys: &[Key]| in_families(keys, |key| *key, item::gone, Change::Remove);
        for chunk in keys.chunks(TOGETHER) {
            let all = self.commit(removal(chunk));
            let Err(error) = all else { continue };
            if !is_missing(&error) {
                return Err(error);
            }
            // One of them has run out, so none was taken out.
            for gone in chunk {
                match self.commit(removal(std::slice::from_ref(gone))) {
                    Err(error) if !is_missing(&error) => return Err(error),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        let changes = FAST_MAPS.into_iter().chain([FAST_LEASE]).map(Change::Flush).collect();
        match self.commit(changes) {
            // Without the table there is nothing that counts.
            Err(error) if !is_missing(&error) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn lapse(&mut self) {
        thread::sleep(LEASE);
    }
}

fn is_missing(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::ENOENT as i32)
}
