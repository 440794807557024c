use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;

use crate::model::{DomainName, Moment};

/// Questions below wildcards that one client may ask: so many at once, then one an interval.
const QUESTIONS: Rate = Rate { burst: 500, interval: Duration::from_millis(20) };
/// Different names among them.
const NAMES: Rate = Rate { burst: 256, interval: Duration::from_secs(10) };
/// Names that are remembered for a client, so that asking again is not asking for another one.
const REMEMBERED: usize = 512;
/// Clients that are counted at a time: the one that was idle longest begins anew if there are more.
const CLIENTS: NonZeroUsize = NonZeroUsize::new(1_024).unwrap();

/// What clients may still ask below wildcards, where every name leads to somebody whom the policy's author did not name:
/// enough for any honest use, too little for a tunnel.
///
/// A client takes some 30 KiB at most and all of them 30 MiB; an ordinary one takes a few hundred bytes.
pub struct Budgets {
    clients: LruCache<IpAddr, Budget>,
    hasher: RandomState,
}

struct Budget {
    questions: Bucket,
    names: Bucket,
    /// Hashes of names.
    known: LruCache<u64, ()>,
}

#[derive(Clone, Copy)]
struct Rate {
    burst: u32,
    interval: Duration,
}

/// When the last of what was spent will have been earned (the generic cell rate algorithm).
#[derive(Clone, Copy, Default)]
struct Bucket(Moment);

impl Budgets {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self { clients: LruCache::new(CLIENTS), hasher: RandomState::new() }
    }

    /// Whether a client may ask for a name below a wildcard, which is then spent.
    pub fn spend(&mut self, client: IpAddr, name: &DomainName, now: Moment) -> bool {
        let name = self.hasher.hash_one(name);
        self.clients.get_or_insert_mut(client, Budget::new).spend(name, now)
    }
}

impl Default for Budgets {
    fn default() -> Self {
        Self::new()
    }
}

impl Budget {
    fn new() -> Self {
        // Grows as needed; its bound is kept by hand.
        Self { questions: Bucket::default(), names: Bucket::default(), known: LruCache::unbounded() }
    }

    fn spend(&mut self, name: u64, now: Moment) -> bool {
        if !self.questions.spend(QUESTIONS, now) {
            return false;
        }
        if self.known.get(&name).is_none() {
            if !self.names.spend(NAMES, now) {
                return false;
            }
            self.known.put(name, ());
            if self.known.len() > REMEMBERED {
                self.known.pop_lru();
            }
        }
        true
    }
}

impl Bucket {
    fn spend(&mut self, rate: Rate, now: Moment) -> bool {
        let next = self.0.max(now).after(rate.interval);
        let is_in_budget = next.since(now) <= rate.interval * rate.burst;
        if is_in_budget {
            self.0 = next;
        }
        is_in_budget
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Moment::from_secs(1_000);

    fn name(number: u32) -> DomainName {
        DomainName::parse(&format!("n{number}.example.com")).unwrap()
    }

    fn client(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from(0x0a00_0000 + number).into()
    }

    #[test]
    fn different_names_run_out_and_come_back_one_by_one() {
        let mut budgets = Budgets::new();
        let spent = (0..1_000).filter(|&number| budgets.spend(client(1), &name(number), START)).count();
        assert_eq!(spent, 256);
        let later = START.after(Duration::from_secs(10));
        assert!(budgets.spend(client(1), &name(5_000), later));
        assert!(!budgets.spend(client(1), &name(5_001), later));
        // What was asked for before goes on, and others are not concerned.
        assert!(budgets.spend(client(1), &name(7), later));
        assert!(budgets.spend(client(2), &name(5_001), later));
    }

    #[test]
    fn one_name_may_be_asked_for_again_and_again_but_not_without_end() {
        let mut budgets = Budgets::new();
        let spent = |budgets: &mut Budgets, now| (0..2_000).filter(|_| budgets.spend(client(1), &name(1), now)).count();
        assert_eq!(spent(&mut budgets, START), 500);
        assert_eq!(spent(&mut budgets, START.after(Duration::from_secs(1))), 50);
        assert_eq!(spent(&mut budgets, START.after(Duration::from_secs(3_600))), 500);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut budgets = Budgets::new();
        for second in 0..50_000 {
            budgets.spend(client(1), &name(second), START.after(Duration::from_secs(10 * u64::from(second))));
        }
        assert_eq!(budgets.clients.peek(&client(1)).unwrap().known.len(), 512);
        for number in 0..10_000 {
            budgets.spend(client(number), &name(1), START);
        }
        assert_eq!(budgets.clients.len(), 1_024);
    }
}
