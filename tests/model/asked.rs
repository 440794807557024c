//! The model of questions: all that were asked, with how often each may still be answered.

use std::net::SocketAddr;

use decider::model::DomainName;

/// Milliseconds that an answer may take.
const WINDOW: u64 = 10_000;

/// A question with its ends: all that an answer must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub client: SocketAddr,
    pub resolver: SocketAddr,
    pub id: u16,
    pub name: DomainName,
    /// Whether it is for IPv6 addresses.
    pub v6: bool,
}

impl Question {
    pub fn record_type(&self) -> u16 {
        if self.v6 { 28 } else { 1 }
    }
}

/// What was asked and not answered.
#[derive(Default)]
pub struct Asked(Vec<Open>);

struct Open {
    question: Question,
    last: u64,
    times: u32,
}

impl Asked {
    pub fn ask(&mut self, question: &Question, now: u64) {
        self.0.retain(|open| now - open.last <= WINDOW);
        match self.0.iter_mut().find(|open| open.question == *question) {
            Some(open) => (open.last, open.times) = (now, open.times + 1),
            None => self.0.push(Open { question: question.clone(), last: now, times: 1 }),
        }
    }

    /// Whether an answer to this is awaited; once, then.
    pub fn answer(&mut self, question: &Question, now: u64) -> bool {
        self.0.retain(|open| now - open.last <= WINDOW);
        let open = self.0.iter_mut().find(|open| open.question == *question && open.times > 0);
        open.map(|open| open.times -= 1).is_some()
    }
}
