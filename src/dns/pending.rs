use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::model::Moment;

use super::fair::{Bounds, Entry, FairStore};
use super::question::Question;

/// How many questions may be outstanding, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingLimits {
    /// Of all clients together.
    pub capacity: usize,
    /// Of one client.
    pub per_client: usize,
    /// How long an answer may take.
    pub window: Duration,
}

impl Default for PendingLimits {
    /// Ten seconds: twice what the resolvers of glibc, musl and Go wait for an answer over UDP. One that is later finds
    /// nobody waiting.
    ///
    /// Room for 6,500 questions a second that nobody answers, and for 800 of one client. That is some 12 MiB, and 60 MiB
    /// at worst: each question from an address of its own and for the longest name (`tests/memory.rs`).
    fn default() -> Self {
        Self { capacity: 65_536, per_client: 8_192, window: Duration::from_secs(10) }
    }
}

/// The questions that have no answer yet.
///
/// A client that asks more than its share forgets its own oldest questions, never another client's.
pub struct Pending {
    asked: FairStore<IpAddr, Key, Outstanding>,
    window: Duration,
}

/// Why an answer is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Miss {
    /// No such question is outstanding: never asked, answered already, or forgotten.
    #[error("nobody asked this")]
    Unasked,
    /// It was asked longer ago than an answer may take.
    #[error("the answer came too late")]
    Late,
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    client_port: u16,
    resolver: SocketAddr,
    question: Question,
}

#[derive(Default)]
struct Outstanding {
    /// Until when an answer counts.
    until: Moment,
    /// How often it was asked and not answered: a client that asks again may get as many answers.
    times: u8,
}

impl Pending {
    /// Nothing is outstanding yet.
    #[must_use]
    pub fn new(limits: PendingLimits) -> Self {
        let PendingLimits { capacity, per_client: share, window } = limits;
        Self { asked: FairStore::new(Bounds { capacity, share }), window }
    }

    /// Notes a question on its way from `client` to `resolver`.
    pub fn insert(&mut self, now: Moment, client: SocketAddr, resolver: SocketAddr, question: &Question) {
        let (key, window) = (Key::new(client, resolver, question), self.window);
        self.asked.change(client.ip(), key, now, |outstanding| {
            let times = if outstanding.is_stale(now) { 0 } else { outstanding.times };
            *outstanding = Outstanding { until: now.after(window), times: times.saturating_add(1) };
        });
    }

    /// Matches an answer on its way from `resolver` to `client` with its question, which counts as answered then.
    ///
    /// # Errors
    /// If there is no such question, or it has been waiting for longer than the window.
    pub fn take(
        &mut self,
        now: Moment,
        client: SocketAddr,
        resolver: SocketAddr,
        question: &Question,
    ) -> Result<(), Miss> {
        let key = Key::new(client, resolver, question);
        let outstanding = self.asked.peek(&client.ip(), &key).ok_or(Miss::Unasked)?;
        let (stale, times) = (outstanding.is_stale(now), outstanding.times);
        if stale || times <= 1 {
            self.asked.remove(client.ip(), &key);
        } else {
            self.asked.change(client.ip(), key, now, |outstanding| outstanding.times = times - 1);
        }
        if stale { Err(Miss::Late) } else { Ok(()) }
    }

    /// How many questions are remembered, those among them that will not be answered any more.
    #[must_use]
    pub fn len(&self) -> usize {
        self.asked.weight()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Key {
    fn new(client: SocketAddr, resolver: SocketAddr, question: &Question) -> Self {
        Self { client_port: client.port(), resolver, question: question.clone() }
    }
}

impl Entry for Outstanding {
    fn weight(&self) -> usize {
        usize::from(self.times > 0)
    }

    fn is_stale(&self, now: Moment) -> bool {
        now > self.until
    }
}
