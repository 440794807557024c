use std::io;

use super::{Answer, HeldPacket, Hook, OpenError, PacketQueue, QueueOptions};

/// The first descriptor behind the standard streams.
const FIRST_OF_OURS: i32 = 3;

/// A queue by way of the `nfq` crate: one `recv` and one `send` a packet.
pub struct NfqQueue {
    queue: nfq::Queue,
    judged: Option<nfq::Message>,
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
        queue.bind(number).map_err(|source| OpenError::bind(number, source))?;
        queue.set_copy_range(number, options.copy_range).map_err(failed("set the copy range of"))?;
        queue.set_queue_max_len(number, options.max_length).map_err(failed("set the length of"))?;
        // A kernel that does not tell does not: then nobody knows.
        let _ = queue.set_recv_uid_gid(number, true);
        Ok(Self { queue, judged: None })
    }
}

impl PacketQueue for NfqQueue {
    type Held<'a> = nfq::Message;

    fn receive(&mut self, mut judge: impl FnMut(&nfq::Message) -> Answer) -> io::Result<()> {
        let mut held = self.queue.recv()?;
        match judge(&held) {
            Answer::Accept { mark } => {
                held.set_nfmark(mark);
                held.set_verdict(nfq::Verdict::Accept);
            }
            Answer::Pass => held.set_verdict(nfq::Verdict::Accept),
            Answer::Drop => held.set_verdict(nfq::Verdict::Drop),
        }
        self.judged = Some(held);
        Ok(())
    }

    fn answer(&mut self) -> io::Result<()> {
        self.judged.take().map_or(Ok(()), |held| self.queue.verdict(held))
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
        self.get_hook().into()
    }
}
