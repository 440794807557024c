use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::model::Moment;
use crate::packet::Syn;

use super::Answer;

/// How long a client may go on sending the same SYN: Linux gives up after 127 s (`tcp_syn_retries` 6).
const WINDOW: Duration = Duration::from_secs(130);

/// The SYNs that were answered lately, so that a retransmission is neither decided nor recorded again.
///
/// A fixed table without chains: a newer SYN in the same place displaces the older one, which then at worst
/// counts as new when it is sent again. Nothing is allocated after the start.
pub struct RecentSyns {
    places: Box<[Option<Seen>]>,
    hasher: RandomState,
}

#[derive(Clone)]
struct Seen {
    syn: Syn,
    answer: Answer,
    at: Moment,
}

impl RecentSyns {
    /// A table with room for `places` SYNs (at least one).
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { places: vec![None; places.max(1)].into(), hasher: RandomState::new() }
    }

    /// What the very same SYN (addresses, ports, sequence number) was answered before.
    #[must_use]
    pub fn answer_to(&self, syn: &Syn, now: Moment) -> Option<Answer> {
        let seen = self.places.get(self.place(syn))?.as_ref()?;
        (seen.syn == *syn && now.since(seen.at) < WINDOW).then_some(seen.answer)
    }

    /// Remembers an answer.
    pub fn remember(&mut self, syn: Syn, answer: Answer, at: Moment) {
        let place = self.place(&syn);
        if let Some(slot) = self.places.get_mut(place) {
            *slot = Some(Seen { syn, answer, at });
        }
    }

    fn place(&self, syn: &Syn) -> usize {
        let hash = self.hasher.hash_one((syn.client, syn.dst));
        usize::try_from(hash % self.places.len() as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn syn(port: u16, seq: u32) -> Syn {
        let client = std::net::SocketAddr::from(([10, 0, 0, 1], port));
        Syn { client, dst: std::net::SocketAddr::from(([192, 0, 2, 1], 22)), seq }
    }

    #[test]
    fn the_same_syn_gets_the_same_answer_and_another_does_not() {
        let mut recent = RecentSyns::new(64);
        let answer = Answer::Accept { mark: 7 };
        recent.remember(syn(1000, 5), answer, Moment::from_secs(10));
        assert_eq!(recent.answer_to(&syn(1000, 5), Moment::from_secs(13)), Some(answer));
        assert_eq!(recent.answer_to(&syn(1000, 6), Moment::from_secs(13)), None);
        assert_eq!(recent.answer_to(&syn(1001, 5), Moment::from_secs(13)), None);
        assert_eq!(recent.answer_to(&syn(1000, 5), Moment::from_secs(141)), None);
    }
}
