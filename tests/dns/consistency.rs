use std::net::IpAddr;
use std::time::Duration;

use decider::dns::{Belief, Limits, Observations, Record};
use decider::model::{ClientId, DomainName, Moment, Scope};
use proptest::prelude::*;

const CLIENTS: u8 = 4;
const ADDRESSES: u8 = 9;

/// Little of everything, so that something has to go all the time.
fn limits() -> Limits {
    let none = Duration::ZERO;
    Limits { per_client: 12, per_address: 3, ..Limits::new(30, none, Duration::from_secs(86_400), none) }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Tell {
        client: u8,
        addr: u8,
        name: u8,
        ttl: u64,
    },
    Hold {
        client: u8,
        addr: u8,
    },
    /// Names that rules mention from now on: those with a lower number.
    Judge(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let of = || (0..CLIENTS, 0..ADDRESSES, 0..5_u8, 0..30_u64);
    prop_oneof![
        11 => of().prop_map(|(client, addr, name, ttl)| Step::Tell { client, addr, name, ttl }),
        1 => (0..CLIENTS, 0..ADDRESSES).prop_map(|(client, addr)| Step::Hold { client, addr }),
        1 => (0..6_u8).prop_map(Step::Judge),
    ]
}

fn client(n: u8) -> ClientId {
    ClientId(IpAddr::from([10, 77, 1, n]))
}

fn addr(n: u8) -> IpAddr {
    if n.is_multiple_of(2) { [192, 0, 2, n].into() } else { [0x2001, 0xdb8, 0, 0, 0, 0, 0, n.into()].into() }
}

/// Some are short enough to be kept in place, some are not.
fn name(n: u8) -> DomainName {
    let below = if n.is_multiple_of(2) { "example" } else { "a-name-of-many-letters.example" };
    DomainName::parse(&format!("n{n}.{below}")).unwrap()
}

fn take(observations: &mut Observations, mentioned: &mut u8, step: Step, now: Moment) {
    match step {
        Step::Tell { client: who, addr: at, name: what, ttl } => {
            let (who, at, ttl) = (client(who), addr(at), Duration::from_secs(ttl));
            if what < *mentioned {
                observations.learn(now, who, at, name(what), ttl, Belief::Believed);
            } else {
                observations.note(now, who, at, name(what), ttl, Belief::Believed);
            }
        }
        Step::Hold { client: who, addr: at } => {
            observations.hold(client(who), addr(at), Scope::Client, |_| true);
        }
        Step::Judge(now_mentioned) => {
            *mentioned = now_mentioned;
            let mentions = |found: &DomainName| (0..now_mentioned).any(|n| name(n) == *found);
            observations.judge_anew(limits(), mentions, |_| Belief::Believed, now);
        }
    }
}

/// The names of these that live, the newest first.
fn live(records: impl Iterator<Item = Record>, now: Moment) -> Vec<DomainName> {
    let mut live: Vec<Record> = records.filter(|record| record.is_live(now)).collect();
    live.sort_by_key(|record| std::cmp::Reverse(record.learned));
    live.into_iter().map(|record| record.name).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_found_is_what_is_listed_whatever_had_to_go(steps in proptest::collection::vec(step(), 1..120)) {
        let (mut observations, mut mentioned) = (Observations::new(limits()), 4);
        for (second, step) in (100..).zip(steps) {
            let now = Moment::from_secs(second);
            take(&mut observations, &mut mentioned, step, now);
            prop_assert!(observations.len() <= 30);
            prop_assert_eq!(observations.iter().count(), observations.len());
            for who in (0..CLIENTS).map(client) {
                prop_assert!(observations.iter().filter(|record| record.client == who).count() <= 12);
                for at in (0..ADDRESSES).map(addr) {
                    let of = |record: &Record| record.client == who && record.addr == at;
                    let mut expected = live(observations.iter().filter(of), now);
                    prop_assert!(expected.len() <= 3);
                    expected.extend(live(observations.trail().filter(of), now));
                    let known = observations.about(at, who, Scope::Client, now);
                    prop_assert_eq!(known.live().cloned().collect::<Vec<_>>(), expected);
                }
            }
            // To somebody who asked for nothing a name counts that somebody was told, and each of them once.
            for at in (0..ADDRESSES).map(addr) {
                let known = observations.about(at, client(CLIENTS), Scope::Shared, now);
                let mut found: Vec<&DomainName> = known.live().collect();
                prop_assert!(found.iter().all(|&name| observations.at(at).any(|record| record.name == *name)));
                let all = found.len();
                found.sort();
                found.dedup();
                prop_assert_eq!(all, found.len());
            }
        }
    }
}
