//! What all scenarios do by the backend that is the default, those that hang on it do by the other one, too.

use crate::world::{Covered, Gateway, Setup};

use super::{floods, killed, large_answers, malformed, overflow};

fn by_nfq(scenario: impl FnOnce()) {
    Gateway::told(&["--queue-backend", "nfq"], scenario);
}

#[test]
fn the_log_says_which_it_is() {
    let says = |word: &str| {
        let world = Setup::default().start();
        let log = world.gateway.process.as_ref().unwrap().log();
        assert!(log.contains(&format!("\"backend\":\"{word}\"")), "{log}");
        world.works();
    };
    says("netlink");
    by_nfq(|| says("nfq"));
}

#[test]
fn nfq_broken_packets_open_nothing() {
    by_nfq(malformed::broken_packets_open_nothing);
}

#[test]
fn nfq_broken_answers_open_nothing() {
    by_nfq(malformed::broken_answers_open_nothing);
}

#[test]
fn nfq_unusual_syns_are_decided_like_any_other() {
    by_nfq(malformed::unusual_syns_are_decided_like_any_other);
}

#[test]
fn nfq_large_answers_teach_all() {
    by_nfq(large_answers::of_a_resolver_beyond);
}

#[test]
fn nfq_a_flood_of_syns() {
    by_nfq(floods::a_flood_of_syns);
}

#[test]
fn nfq_a_flood_of_questions() {
    by_nfq(floods::a_flood_of_questions);
}

#[test]
fn nfq_more_than_there_is_room_for() {
    by_nfq(overflow::more_syns_than_there_is_room_for);
    by_nfq(overflow::longer_questions_than_there_is_room_for);
}

#[test]
fn nfq_a_kill() {
    by_nfq(|| killed::a_kill(Covered::Clients));
    by_nfq(|| killed::a_kill(Covered::Host));
}

#[test]
fn nfq_a_kill_while_packets_wait() {
    by_nfq(killed::a_kill_while_packets_wait);
}

#[test]
fn nfq_a_workers_panic() {
    by_nfq(|| killed::a_workers_panic(Covered::Clients));
}
