use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use decider::dns::{Belief, Limits, Observations};
use decider::model::{ClientId, DomainName, Moment, Scope};

/// A client may have 20 observations, so 10 of one name.
fn limits() -> Limits {
    let hour = Duration::from_secs(3_600);
    Limits { per_client: 20, ..Limits::new(1_000, hour, hour, hour) }
}

fn client(n: u8) -> ClientId {
    ClientId(IpAddr::from([10, 77, 1, n]))
}

fn addr(n: u16) -> IpAddr {
    if n.is_multiple_of(2) {
        IpAddr::from([192, 0, 2, u8::try_from(n).unwrap()])
    } else {
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n).into()
    }
}

fn told(observations: &mut Observations, second: u64, who: u8, name: &str, at: u16) {
    let name = DomainName::parse(name).unwrap();
    let (now, ttl) = (Moment::from_secs(second), Duration::from_secs(60));
    observations.learn(now, client(who), addr(at), name, ttl, Belief::Believed);
}

/// At which addresses a client knows a name, in order.
fn known(observations: &Observations, who: u8, name: &str) -> Vec<u16> {
    let knows = |&n: &u16| {
        let known = observations.about(addr(n), client(who), Scope::Client, Moment::from_secs(100));
        known.live().any(|live| live.as_str() == name)
    };
    (0..200).filter(knows).collect()
}

#[test]
fn a_name_with_thousands_of_addresses_takes_half_of_its_clients_share() {
    let mut observations = Observations::new(limits());
    for n in 0..8 {
        told(&mut observations, 1, 1, &format!("n{n}.example"), n);
        told(&mut observations, 1, 2, &format!("n{n}.example"), n);
    }
    for n in 50..150 {
        told(&mut observations, u64::from(n), 1, "many.example", n);
    }
    assert_eq!(known(&observations, 1, "many.example"), (140..150).collect::<Vec<_>>());
    for who in [1, 2] {
        for n in 0..8 {
            assert_eq!(known(&observations, who, &format!("n{n}.example")), [n], "client {who}");
        }
    }
    assert_eq!(observations.len(), 8 + 8 + 10);
}

#[test]
fn it_is_the_address_that_was_told_longest_ago_that_goes() {
    let mut observations = Observations::new(limits());
    for n in 0..10 {
        told(&mut observations, 1 + u64::from(n), 1, "many.example", n);
    }
    told(&mut observations, 20, 1, "many.example", 0);
    told(&mut observations, 21, 1, "many.example", 10);
    assert_eq!(known(&observations, 1, "many.example"), [0, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
}

#[test]
fn a_name_that_goes_leaves_the_other_names_of_its_address() {
    let mut observations = Observations::new(limits());
    told(&mut observations, 1, 1, "one.example", 0);
    for n in 0..11 {
        told(&mut observations, 2 + u64::from(n), 1, "many.example", n);
    }
    assert_eq!(known(&observations, 1, "one.example"), [0]);
    assert_eq!(known(&observations, 1, "many.example"), (1..11).collect::<Vec<_>>());
    // Nor does another client use it any more.
    let others = observations.about(addr(0), client(3), Scope::Shared, Moment::from_secs(100));
    assert_eq!(others.live().map(DomainName::as_str).collect::<Vec<_>>(), ["one.example"]);
}

#[test]
fn the_share_of_a_name_holds_whatever_else_comes_and_goes() {
    let mut observations = Observations::new(limits());
    for step in 0..2_000_u16 {
        let name = format!("n{}.example", if step % 4 == 0 { 1 + step % 2 } else { 0 });
        told(&mut observations, u64::from(step % 90), 1, &name, step * 31 % 97);
        let most = (0..3).map(|n| known(&observations, 1, &format!("n{n}.example")).len()).max().unwrap();
        assert!(most <= 10, "{most} at step {step}");
        assert!(observations.len() <= 20);
    }
}
