use std::net::IpAddr;
use std::time::Duration;

use decider::dns::{Belief, Limits, Observations};
use decider::model::{ClientId, DomainName, Moment, Scope};

const NOW: Moment = Moment::from_secs(10);
const TTL: Duration = Duration::from_secs(60);

fn limits() -> Limits {
    let hour = Duration::from_secs(3_600);
    Limits { trail: 20, trail_per_client: 5, ..Limits::new(1_000, hour, hour, hour) }
}

fn client(n: u8) -> ClientId {
    ClientId(format!("fd77:1::{n}").parse().unwrap())
}

fn addr(n: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, n])
}

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn note(observations: &mut Observations, who: u8, what: &str, at: u8) {
    observations.note(NOW, client(who), addr(at), name(what), TTL, Belief::Believed);
}

fn live(observations: &Observations, who: u8, at: u8) -> Vec<String> {
    observations.about(addr(at), client(who), Scope::Shared, NOW).live().map(|name| name.as_str().to_owned()).collect()
}

#[test]
fn names_of_no_rule_are_known_behind_those_that_have_one() {
    let mut observations = Observations::new(limits());
    observations.learn(NOW, client(1), addr(1), name("github.com"), TTL, Belief::Believed);
    note(&mut observations, 1, "evil.example", 1);
    note(&mut observations, 1, "other.example", 1);
    assert_eq!(live(&observations, 1, 1), ["github.com", "other.example", "evil.example"]);
    assert_eq!(live(&observations, 2, 1), ["github.com", "other.example", "evil.example"]);
}

#[test]
fn what_a_client_asked_itself_is_its_own_knowledge_rule_or_none() {
    let mut observations = Observations::new(limits());
    observations.learn(NOW, client(1), addr(1), name("github.com"), TTL, Belief::Believed);
    note(&mut observations, 2, "evil.example", 1);
    assert!(observations.about(addr(1), client(2), Scope::Shared, NOW).is_own());
    assert_eq!(live(&observations, 2, 1), ["evil.example"]);
}

#[test]
fn the_trail_takes_nothing_from_the_names_that_matter() {
    let mut observations = Observations::new(limits());
    observations.learn(NOW, client(1), addr(200), name("github.com"), TTL, Belief::Believed);
    for n in 0..150 {
        note(&mut observations, 1, &format!("n{n}.example"), n);
    }
    assert_eq!(live(&observations, 1, 200), ["github.com"]);
    assert_eq!((observations.len(), observations.iter().count()), (1, 1));
}

#[test]
fn a_clients_trail_is_short_and_its_own() {
    let mut observations = Observations::new(limits());
    note(&mut observations, 2, "quiet.example", 201);
    for n in 0..150 {
        note(&mut observations, 1, &format!("n{n}.example"), n);
    }
    let of_client = |who| observations.trail().filter(|record| record.client == client(who)).count();
    assert_eq!((of_client(1), of_client(2)), (5, 1));
    assert_eq!(live(&observations, 1, 149), ["n149.example"]);
}

#[test]
fn the_trail_of_all_has_its_bound() {
    let mut observations = Observations::new(limits());
    for who in 0..100 {
        note(&mut observations, who, "evil.example", who);
    }
    assert_eq!(observations.trail().count(), 20);
}

#[test]
fn however_it_is_divided_a_client_has_room_for_a_thousand_names_on_the_trail_and_not_for_many_more() {
    let hour = Duration::from_secs(3_600);
    for capacity in [1_000, 100_000, 1_000_000, 10_000_000] {
        for shards in [1, 2, 24, 244, 256] {
            let all = Limits::new(capacity, hour, hour, hour);
            let part = all.share_of(shards);
            assert!(part.trail_per_client * shards <= 2 * 1_024 + 18 * shards, "{capacity} in {shards}");
            assert!(part.trail_per_client <= part.trail, "{capacity} in {shards}");
            assert!(part.trail * shards <= (capacity / 16).max(shards), "{capacity} in {shards}");
        }
    }
}

/// What a client was told itself keeps out what others ask; so must what it was told and there was no room for.
#[test]
fn a_client_that_was_told_too_much_to_be_remembered_uses_nothing_of_others() {
    let mut observations = Observations::new(limits());
    observations.learn(NOW, client(1), addr(1), name("github.com"), TTL, Belief::Believed);
    note(&mut observations, 2, "evil.example", 1);
    for n in 10..20 {
        note(&mut observations, 2, &format!("n{n}.example"), n);
    }
    assert_eq!(live(&observations, 2, 1), [""; 0]);
    // Others do not notice, and nor does it when that would have been over.
    assert_eq!(live(&observations, 1, 1), ["github.com"]);
    assert_eq!(live(&observations, 3, 1), ["github.com"]);
    let later = NOW.after(Duration::from_secs(2 * 3_600));
    observations.learn(later, client(1), addr(1), name("github.com"), TTL, Belief::Believed);
    let known = observations.about(addr(1), client(2), Scope::Shared, later);
    assert_eq!(known.live().map(DomainName::as_str).collect::<Vec<_>>(), ["github.com"]);
}

#[test]
fn the_same_holds_for_names_that_rules_mention() {
    let hour = Duration::from_secs(3_600);
    let limits = Limits { per_client: 4, ..Limits::new(1_000, hour, hour, hour) };
    let mut observations = Observations::new(limits);
    observations.learn(NOW, client(1), addr(1), name("github.com"), TTL, Belief::Believed);
    observations.learn(NOW, client(2), addr(1), name("denied.example"), TTL, Belief::Believed);
    for n in 10..20 {
        observations.learn(NOW, client(2), addr(n), name(&format!("n{n}.example")), TTL, Belief::Believed);
    }
    assert_eq!(live(&observations, 2, 1), [""; 0]);
}
