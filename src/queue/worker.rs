use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
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
        let answer = handler.handle(&held);
        if queue.answer(held, answer).is_err() {
            counters.verdict_errors.add(1);
        }
        handler.settle();
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
