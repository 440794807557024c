use std::net::IpAddr;
use std::time::Duration;

use decider::dns::{Belief, Limits, Observations};
use decider::model::{ClientId, DomainName, Moment, Scope};

/// Nothing but the TTL counts, so that a second is a second.
fn limits() -> Limits {
    Limits::new(1_000, Duration::ZERO, Duration::from_secs(86_400), Duration::ZERO)
}

fn client(n: u8) -> ClientId {
    ClientId(IpAddr::from([10, 77, 1, n]))
}

/// Whether github.com, learned at each `(second, client, ttl)`, is live for `asker` at `second`.
fn lives(learned: &[(u64, u8, u64)], asker: u8, second: u64) -> bool {
    let mut observations = Observations::new(limits());
    let addr: IpAddr = "2001:db8::1".parse().unwrap();
    for &(at, who, ttl) in learned {
        let name = DomainName::parse("github.com").unwrap();
        let ttl = Duration::from_secs(ttl);
        observations.learn(Moment::from_secs(at), client(who), addr, name, ttl, Belief::Believed);
    }
    observations.about(addr, client(asker), Scope::Shared, Moment::from_secs(second)).live().count() == 1
}

#[test]
fn a_longer_ttl_renews() {
    assert!(lives(&[(0, 1, 10), (5, 1, 10)], 1, 14));
    assert!(!lives(&[(0, 1, 10), (5, 1, 10)], 1, 15));
}

#[test]
fn a_shorter_ttl_takes_nothing_back() {
    assert!(lives(&[(0, 1, 100), (5, 1, 1)], 1, 99));
    assert!(!lives(&[(0, 1, 100), (5, 1, 1)], 1, 100));
}

#[test]
fn a_shorter_ttl_of_one_client_takes_nothing_back_from_the_others() {
    let told = [(0, 1, 100), (5, 2, 1)];
    assert!(lives(&told, 1, 99));
    assert!(lives(&told, 3, 99));
    assert!(!lives(&told, 3, 100));
}
