use super::super::Answer;
use super::MOST_TOGETHER;
use super::request::{Fate, append_verdict};

/// Bytes of a verdict with a mark.
const LONGEST: usize = 40;

/// Verdicts on their way to the kernel, which takes any number of them in one datagram.
///
/// There is a shorter way to give all packets up to a number the same one (`NFQNL_MSG_VERDICT_BATCH`). It would also let
/// through what waits there without having been judged.
pub struct Verdicts {
    queue: u16,
    messages: Vec<u8>,
}

impl Verdicts {
    pub fn new(queue: u16) -> Self {
        Self { queue, messages: Vec::with_capacity(MOST_TOGETHER * LONGEST) }
    }

    pub fn push(&mut self, id: u32, answer: Answer) {
        let (fate, mark) = match answer {
            Answer::Accept { mark } => (Fate::Accept, Some(mark)),
            Answer::Pass => (Fate::Accept, None),
            Answer::Drop => (Fate::Drop, None),
        };
        append_verdict(&mut self.messages, self.queue, id, fate, mark);
    }

    pub fn messages(&self) -> &[u8] {
        &self.messages
    }

    pub fn clear(&mut self) {
        self.messages.clear();
    }
}
