use std::io;
use std::os::fd::{AsRawFd, RawFd};

use netlink_sys::constants::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, setsockopt, sockopt};

use super::super::{OpenError, QueueOptions};
use super::message::Message;
use super::request;

/// The kernel itself.
const KERNEL: u32 = 0;
/// Bytes of the socket's memory for each packet that may wait; the kernel takes twice as many. A SYN takes 1,280.
const MEMORY: usize = 2_048;

/// The socket of a queue. When it is closed, the kernel drops what waits there.
pub struct BoundQueue {
    socket: Socket,
    options: QueueOptions,
}

impl BoundQueue {
    /// Binds a queue.
    ///
    /// # Errors
    /// If the number is taken or the system refuses (`CAP_NET_ADMIN` is needed).
    pub fn bind(options: QueueOptions) -> Result<Self, OpenError> {
        let number = options.number;
        let failed = |operation| move |source| OpenError::System { operation, number, source };
        let socket = connect().map_err(failed("open a socket for"))?;
        enlarge(&socket, options.max_length).map_err(failed("make room for the packets of"))?;
        let queue = Self { socket, options };
        queue
            .send(&request::bind(options))
            .and_then(|()| queue.refusal())
            .map_err(|source| OpenError::bind(number, source))?;
        Ok(queue)
    }

    pub(super) fn number(&self) -> u16 {
        self.options.number
    }

    pub(super) fn copy_range(&self) -> u16 {
        self.options.copy_range
    }

    /// Tells the kernel something. It has been dealt with, packets have gone on, when this returns.
    pub(super) fn send(&self, messages: &[u8]) -> io::Result<()> {
        self.socket.send(messages, 0).map(drop)
    }

    /// What the kernel has against the first message that it was sent. Packets that have come since stay where they are.
    fn refusal(&self) -> io::Result<()> {
        // It would hold the whole message in return.
        let mut start = [0; 256];
        let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        match recv(self.socket.as_raw_fd(), &mut start, flags) {
            Err(Errno::EAGAIN) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(length) => match Message::read(start.get(..length).unwrap_or_default()) {
                Some(Message::Refused(error)) => Err(io::Error::from_raw_os_error(error)),
                Some(Message::Packet(_) | Message::Other) | None => Ok(()),
            },
        }
    }
}

/// A socket that hears of the kernel alone.
fn connect() -> io::Result<Socket> {
    let socket = Socket::new(NETLINK_NETFILTER)?;
    socket.connect(&SocketAddr::new(KERNEL, 0))?;
    // With the error, the kernel would drop everything from the first packet that finds no room until all that waits has
    // been received. It counts what it drops for each queue anyway.
    socket.set_no_enobufs(true)?;
    Ok(socket)
}

/// Gives the socket room for a full queue, past what the system allows everybody. Where that is not to be had, it gets what
/// everybody may have, and what finds no room is dropped and counted.
fn enlarge(socket: &Socket, packets: u32) -> io::Result<()> {
    let bytes = usize::try_from(packets).unwrap_or(usize::MAX).saturating_mul(MEMORY);
    setsockopt(socket, sockopt::RcvBufForce, &bytes).or_else(|_| setsockopt(socket, sockopt::RcvBuf, &bytes))?;
    Ok(())
}

impl AsRawFd for BoundQueue {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}
