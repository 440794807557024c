use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::thread;

use crate::record::QueueCounters;

use super::{Answer, HeldPacket, PacketQueue};

/// What a worker does with each packet.
pub trait Handler: Send {
    /// Says what becomes of a packet.
    fn handle(&mut self, packet: &impl HeldPacket) -> Answer;

    /// Called once the packets that came together have their verdicts, before others are taken: where records are sent off.
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

/// Starts a thread that serves a queue with `handler` until it breaks; `ended` is called in that thread, and so is `queue`,
/// which need not be able to leave it.
///
/// # Errors
/// If the system gives no thread.
pub fn spawn<Q: PacketQueue, H: Handler + 'static>(
    name: String,
    queue: impl FnOnce() -> Q + Send + 'static,
    handler: H,
    counters: Arc<QueueCounters>,
    ended: impl FnOnce(Ended) + Send + 'static,
) -> io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name(name).spawn(move || {
        // The queue is made in there, so it is closed when that ends, also by a panic.
        let run = AssertUnwindSafe(move || Service { queue: queue(), handler, counters, judged: 0 }.run());
        ended(match catch_unwind(run) {
            Ok(error) => Ended::Broken(error.to_string()),
            Err(panic) => Ended::Panicked(panic_message(panic.as_ref())),
        });
    })
}

/// A queue and who serves it.
struct Service<Q, H: Handler> {
    queue: Q,
    handler: H,
    counters: Arc<QueueCounters>,
    /// Packets that were judged and have no verdict yet.
    judged: u64,
}

impl<Q: PacketQueue, H: Handler> Service<Q, H> {
    fn run(&mut self) -> io::Error {
        let mut errors_in_a_row = 0;
        loop {
            let received = match catch_unwind(AssertUnwindSafe(|| self.receive())) {
                Ok(received) => received,
                Err(panic) => {
                    // Those that came before the packet it broke on have been decided and counted.
                    self.answer();
                    resume_unwind(panic);
                }
            };
            if self.answer() > 0 {
                errors_in_a_row = 0;
            }
            if let Err(error) = received {
                self.counters.receive_errors.add(1);
                errors_in_a_row += 1;
                if errors_in_a_row >= MAX_ERRORS_IN_A_ROW {
                    return error;
                }
            }
        }
    }

    fn receive(&mut self) -> io::Result<()> {
        let Self { queue, handler, counters, judged } = self;
        queue.receive(|held| {
            counters.received.add(1);
            // Whoever publishes another policy and then finds this packet not received yet may be sure that it is decided
            // by that one.
            fence(Ordering::SeqCst);
            let answer = handler.handle(held);
            *judged += 1;
            answer
        })
    }

    /// Gives what was judged its verdicts; says how many.
    fn answer(&mut self) -> u64 {
        let judged = std::mem::take(&mut self.judged);
        if judged > 0 {
            if self.queue.answer().is_err() {
                self.counters.verdict_errors.add(judged);
            }
            self.counters.answered.add(judged);
            self.handler.settle();
        }
        judged
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
    use crate::record::Count;

    /// What `receive` and `answer` give, in turn; then the socket is broken for good.
    struct Scripted {
        /// Packets that come together, and whether an error comes behind them.
        received: std::vec::IntoIter<(usize, io::Result<()>)>,
        answered: std::vec::IntoIter<io::Result<()>>,
        /// Packets that have their verdict.
        gone_on: Arc<Count>,
        judged: u64,
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
        type Held<'a> = Packet;

        fn receive(&mut self, mut judge: impl FnMut(&Packet) -> Answer) -> io::Result<()> {
            let (packets, end) = self.received.next().unwrap_or((0, Err(io::ErrorKind::BrokenPipe.into())));
            for _ in 0..packets {
                judge(&Packet);
                self.judged += 1;
            }
            end
        }

        fn answer(&mut self) -> io::Result<()> {
            self.gone_on.add(std::mem::take(&mut self.judged));
            self.answered.next().unwrap_or(Ok(()))
        }
    }

    /// Passes everything, and panics on one packet.
    struct Passing {
        panics_on: Option<u64>,
        seen: u64,
        settled: Arc<Count>,
    }

    impl Handler for Passing {
        fn handle(&mut self, _packet: &impl HeldPacket) -> Answer {
            self.seen += 1;
            assert!(self.panics_on != Some(self.seen), "on purpose");
            Answer::Pass
        }

        fn settle(&mut self) {
            self.settled.add(1);
        }
    }

    fn late() -> io::Error {
        io::ErrorKind::NotFound.into()
    }

    /// How a worker ended that was given this.
    struct Served {
        ended: Ended,
        counters: Arc<QueueCounters>,
        gone_on: u64,
        settled: u64,
    }

    fn serve(received: Vec<(usize, io::Result<()>)>, answered: Vec<io::Result<()>>, panics_on: Option<u64>) -> Served {
        let [gone_on, settled]: [Arc<Count>; 2] = Default::default();
        let queue = Scripted {
            received: received.into_iter(),
            answered: answered.into_iter(),
            gone_on: Arc::clone(&gone_on),
            judged: 0,
        };
        let handler = Passing { panics_on, seen: 0, settled: Arc::clone(&settled) };
        let counters = Arc::new(QueueCounters::default());
        let (report, ended) = mpsc::channel();
        let told = move |end| report.send(end).unwrap();
        spawn("test".to_owned(), || queue, handler, Arc::clone(&counters), told).unwrap().join().unwrap();
        Served { ended: ended.recv().unwrap(), counters, gone_on: gone_on.value(), settled: settled.value() }
    }

    #[test]
    fn late_news_of_a_verdict_is_counted_and_the_next_packet_served() {
        let received =
            vec![(1, Ok(())), (0, Err(late())), (3, Ok(())), (2, Err(late())), (0, Err(late())), (1, Ok(()))];
        let served = serve(received, vec![Ok(()), Err(late()), Ok(())], None);
        assert!(matches!(served.ended, Ended::Broken(_)), "{:?}", served.ended);
        assert_eq!(served.counters.received.value(), 7);
        assert_eq!((served.gone_on, served.settled), (7, 4));
        // None of the packets whose verdicts were to be sent together has one.
        assert_eq!(served.counters.verdict_errors.value(), 3);
        // Three of them late news, the others of a socket that is given up in the end.
        assert_eq!(served.counters.receive_errors.value(), 3 + u64::from(MAX_ERRORS_IN_A_ROW));
    }

    #[test]
    fn errors_between_packets_never_end_a_worker() {
        let received = (0..2 * MAX_ERRORS_IN_A_ROW).map(|_| (1, Err(late()))).collect();
        let served = serve(received, vec![], None);
        assert_eq!(served.counters.answered.value(), u64::from(2 * MAX_ERRORS_IN_A_ROW));
    }

    #[test]
    fn a_panic_ends_the_worker_and_what_was_decided_before_stands() {
        let served = serve(vec![(2, Ok(())), (4, Ok(())), (1, Ok(()))], vec![], Some(5));
        assert_eq!(served.ended, Ended::Panicked("on purpose".to_owned()));
        assert_eq!((served.gone_on, served.settled), (4, 2));
        assert_eq!((served.counters.received.value(), served.counters.answered.value()), (5, 4));
    }
}
