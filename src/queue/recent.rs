use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::model::{Mark, Moment, Verdict};
use crate::packet::Syn;

use super::Basis;

/// How long a client may go on sending the same SYN: Linux gives up after 127 s (`tcp_syn_retries` 6).
const WINDOW: Duration = Duration::from_secs(130);

/// SYNs that are remembered by each who decides or hears of them.
pub const REMEMBERED: usize = 16_384;

/// The SYNs that were answered lately, so that a retransmission is neither decided nor recorded again.
///
/// A fixed table without chains: a newer SYN in the same place displaces the older one, which then at worst
/// counts as new when it is sent again. Nothing is allocated after the start.
pub struct RecentSyns {
    places: Box<[Option<Seen>]>,
    hasher: RandomState,
}

/// What became of a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The verdict.
    pub verdict: Verdict,
    /// The mark that carries it out.
    pub mark: Mark,
    /// What it was decided by: under another policy, or once a listener has come or gone, it counts no more.
    pub basis: Basis,
}

#[derive(Clone)]
struct Seen {
    syn: Syn,
    decided: Decided,
    at: Moment,
}

impl RecentSyns {
    /// A table with room for `places` SYNs (at least one).
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { places: vec![None; places.max(1)].into(), hasher: RandomState::new() }
    }

    /// What became of the very same SYN (addresses, ports, sequence number), if it was decided by what counts now.
    #[must_use]
    pub fn find(&self, syn: &Syn, basis: Basis, now: Moment) -> Option<Decided> {
        let seen = self.places.get(self.place(syn))?.as_ref()?;
        let counts = seen.syn == *syn && seen.decided.basis == basis && now.since(seen.at) < WINDOW;
        counts.then_some(seen.decided)
    }

    /// Remembers what became of a SYN.
    pub fn remember(&mut self, syn: Syn, decided: Decided, at: Moment) {
        let place = self.place(&syn);
        if let Some(slot) = self.places.get_mut(place) {
            *slot = Some(Seen { syn, decided, at });
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
    use crate::model::Epoch;

    fn syn(port: u16, seq: u32) -> Syn {
        let client = std::net::SocketAddr::from(([10, 0, 0, 1], port));
        Syn { client, dst: std::net::SocketAddr::from(([192, 0, 2, 1], 22)), seq }
    }

    #[test]
    fn the_same_syn_gets_the_same_answer_and_another_does_not() {
        let mut recent = RecentSyns::new(64);
        let basis = Basis::default();
        let decided = Decided { verdict: Verdict::Allow, mark: Mark(7), basis };
        recent.remember(syn(1000, 5), decided, Moment::from_secs(10));
        assert_eq!(recent.find(&syn(1000, 5), basis, Moment::from_secs(13)), Some(decided));
        assert_eq!(recent.find(&syn(1000, 6), basis, Moment::from_secs(13)), None);
        assert_eq!(recent.find(&syn(1001, 5), basis, Moment::from_secs(13)), None);
        assert_eq!(recent.find(&syn(1000, 5), basis, Moment::from_secs(141)), None);
    }

    #[test]
    fn what_was_decided_by_something_else_counts_no_more() {
        let mut recent = RecentSyns::new(64);
        let before = Basis::default();
        let decided = Decided { verdict: Verdict::Allow, mark: Mark(7), basis: before };
        recent.remember(syn(1000, 5), decided, Moment::from_secs(10));
        for after in [Basis { epoch: Epoch(1), ..before }, Basis { readiness: 1, ..before }] {
            assert_eq!(recent.find(&syn(1000, 5), after, Moment::from_secs(10)), None);
        }
    }
}
