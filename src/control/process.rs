use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::sys::socket::{getsockopt, sockopt};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// The process at the other end of a control connection.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    handle: OwnedFd,
}

impl Process {
    /// The process that listens at the socket which this stream is connected to.
    ///
    /// # Errors
    /// If it has ended already, or cannot be seen from here.
    pub fn behind(stream: &UnixStream) -> io::Result<Self> {
        let peer = getsockopt(stream, sockopt::PeerCredentials)?;
        let pid = Pid::from_raw(peer.pid()).ok_or(io::ErrorKind::NotFound)?;
        Ok(Self { pid, handle: pidfd_open(pid, PidfdFlags::empty())? })
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Waits for its end; says whether that came in time.
    #[must_use]
    pub fn ends_within(&self, patience: Duration) -> bool {
        let Ok(patience) = Timespec::try_from(patience) else { return false };
        // The descriptor becomes readable with the end of the process (pidfd_open(2)).
        let mut watched = [PollFd::new(&self.handle, PollFlags::IN)];
        matches!(poll(&mut watched, Some(&patience)), Ok(1..))
    }
}
