use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::thread;

use crate::record::QueueCounters;

use super::{Answer, HeldPacket, PacketQueue};

/// What a worker does with each packet.
pub trait Handler: Send {
    /// Says what becomes of a packet.
    fn handle(&mut self, packet: &impl HeldPacket) -> Answer;

    /// Called once the verdict has been given, before the next packet is taken: where records are sent off.
    fn settle(&mut self);
}

/// How a worker came to its end. Its queue is closed by then, so the kernel drops what would have come to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The code panicked; the message.
    Panicked(String),
    /// The socket is of no use any more.
    Broken(String),
}

/// Errors in a row after which the socket is given up: single ones are late news about earlier verdicts.
const MAX_ERRORS_IN_A_ROW: u32 = 1_000;

/// Starts a thread that serves `queue` with `handler` until it breaks; `ended` is called in that thread.
///
/// # Errors
/// If the system gives no thread.
pub fn spawn<Q, H>(
    name: String,
    queue: Q,
    handler: H,
    counters: Arc<QueueCounters>,
    ended: impl FnOnce(Ended) + Send + 'static,
) -> io::Result<thread::JoinHandle<()>>
where
    Q: PacketQueue + 'static,
    H: Handler + 'static,
{
    thread::Builder::new().name(name).spawn(move || {
        // The queue moves in, so it is closed when the closure ends, also by a panic.
        let run = AssertUnwindSafe(move || serve(queue, handler, &counters));
        ended(match catch_unwind(run) {
            Ok(error) => Ended::Broken(error.to_string()),
            Err(panic) => Ended::Panicked(panic_message(panic.as_ref())),
        });
    })
}

fn serve<Q: PacketQueue, H: Handler>(mut queue: Q, mut handler: H, counters: &QueueCounters) -> io::Error {
    let mut errors_in_a_row = 0;
    loop {
        let held = match queue.receive() {
            Ok(held) => held,
            Err(error) => {
                counters.receive_errors.add(1);
                errors_in_a_row += 1;
                if errors_in_a_row >= MAX_ERRORS_IN_A_ROW {
                    return error;
                }
                continue;
            }
        };
        errors_in_a_row = 0;
        counters.received.add(1);
        // Whoever publishes another policy and then finds this packet not received yet may be sure that it is decided by
        // that one.
        fence(Ordering::SeqCst);
        let answer = handler.handle(&held);
        if queue.answer(held, answer).is_err() {
            counters.verdict_errors.add(1);
        }
        counters.answered.add(1);
        handler.settle();
    }
}

/// What a panic says of itself.
#[must_use]
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::queue::Hook;

    /// What `receive` and `answer` give, in turn; then the socket is broken for good.
    struct Scripted {
        received: std::vec::IntoIter<io::Result<Packet>>,
        answered: std::vec::IntoIter<io::Result<()>>,
    }

    struct Packet;

    impl HeldPacket for Packet {
        fn bytes(&self) -> &[u8] {
            &[]
        }

        fn mark(&self) -> u32 {
            0
        }

        fn in_interface(&self) -> u32 {
            0
        }

        fn hook(&self) -> Hook {
            Hook::Prerouting
        }
    }

    impl PacketQueue for Scripted {
        type Held = Packet;

        fn receive(&mut self) -> io::Result<Packet> {
            self.received.next().unwrap_or_else(|| Err(io::ErrorKind::BrokenPipe.into()))
        }

        fn answer(&mut self, _held: Packet, _answer: Answer) -> io::Result<()> {
            self.answered.next().unwrap_or(Ok(()))
        }
    }

    /// Passes everything, and panics on one packet.
    struct Passing {
        panics_on: Option<u64>,
        seen: u64,
    }

    impl Handler for Passing {
        fn handle(&mut self, _packet: &impl HeldPacket) -> Answer {
            self.seen += 1;
            assert!(self.panics_on != Some(self.seen), "on purpose");
            Answer::Pass
        }

        fn settle(&mut self) {}
    }

    fn late() -> io::Error {
        io::ErrorKind::NotFound.into()
    }

    fn serve_all(queue: Scripted, panics_on: Option<u64>) -> (Ended, Arc<QueueCounters>) {
        let counters = Arc::new(QueueCounters::default());
        let (report, ended) = mpsc::channel();
        let handler = Passing { panics_on, seen: 0 };
        let told = move |end| report.send(end).unwrap();
        spawn("test".to_owned(), queue, handler, Arc::clone(&counters), told).unwrap().join().unwrap();
        (ended.recv().unwrap(), counters)
    }

    #[test]
    fn late_news_of_a_verdict_is_counted_and_the_next_packet_served() {
        let received = vec![Ok(Packet), Err(late()), Ok(Packet), Err(late()), Err(late()), Ok(Packet)];
        let answered = vec![Ok(()), Err(late()), Ok(())];
        let queue = Scripted { received: received.into_iter(), answered: answered.into_iter() };
        let (ended, counters) = serve_all(queue, None);
        assert!(matches!(ended, Ended::Broken(_)), "{ended:?}");
        assert_eq!(counters.received.value(), 3);
        assert_eq!(counters.verdict_errors.value(), 1);
        // Three of them late news, the others of a socket that is given up in the end.
        assert_eq!(counters.receive_errors.value(), 3 + u64::from(MAX_ERRORS_IN_A_ROW));
    }

    #[test]
    fn a_panic_ends_the_worker_and_says_what_it_was() {
        let received = vec![Ok(Packet), Ok(Packet), Ok(Packet)];
        let queue = Scripted { received: received.into_iter(), answered: vec![].into_iter() };
        let (ended, counters) = serve_all(queue, Some(2));
        assert_eq!(ended, Ended::Panicked("on purpose".to_owned()));
        assert_eq!(counters.received.value(), 2);
    }
}
