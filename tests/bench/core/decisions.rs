use std::hint::black_box;
use std::net::IpAddr;

use decider::decide::decide;
use decider::dns::Belief;
use decider::model::{ClientId, Moment, Scope, Verdict};
use decider::policy::Policy;
use decider::queue::Knowledge;

use crate::clocked::cost;
use crate::report::{Report, Row};
use crate::world::{FAMILIES, Family, HOUR, NOW, PORT, Size, Told, name, policy, room_for};

/// Different keys, one after the other: what is known about them is some 100 bytes each.
const RANDOM: usize = 1 << 18;
const HOT: usize = 16;
/// Names of one address.
const NAMES: [usize; 5] = [1, 3, 8, 32, 1_000];

/// Looking up what is known, with the lock of its part, and deciding by it: what a worker does for a SYN that it has read.
pub fn measure(size: &Size, report: &mut Report) {
    for &rules in size.rules {
        let policy = policy(rules);
        for &observations in size.observations {
            for family in FAMILIES {
                by_size(size, report, &policy, &Told { family, rules }, observations);
            }
        }
    }
    by_names(size, report);
    of_strangers(size, report);
}

pub fn decide_once(policy: &Policy, knowledge: &Knowledge, (client, addr): (ClientId, IpAddr)) -> Verdict {
    let part = knowledge.about(addr);
    let known = part.about(addr, client, Scope::Shared, NOW.after(std::time::Duration::from_secs(1)));
    black_box(decide(policy, &known, client.0, PORT, |_| true)).verdict
}

fn by_size(size: &Size, report: &mut Report, policy: &Policy, told: &Told, observations: usize) {
    let knowledge = told.knowledge(observations);
    for (keys, count) in [("random", RANDOM), ("hot", HOT)] {
        let pairs = told.random(observations, count);
        let cost = cost(size, |n| {
            assert_eq!(decide_once(policy, &knowledge, pairs[n % count]), Verdict::Allow);
        });
        let row = Row::of("decide", cost).family(told.family).keys(keys);
        report.add(row.rules(told.rules).observations(observations));
    }
}

/// One address that goes by many names, to a client that asked for all of them, and to one that asked for none.
fn by_names(size: &Size, report: &mut Report) {
    let rules = size.most_rules();
    let policy = policy(rules);
    for names in NAMES {
        let knowledge = Knowledge::new(room_for(10_000));
        let (asker, other) = (ClientId(Family::V4.client(1)), ClientId(Family::V4.client(2)));
        let addr = Family::V4.server(1);
        for n in 0..names {
            let now = Moment::from_nanos(NOW.nanos() + u64::try_from(n).unwrap());
            knowledge.about(addr).learn(now, asker, addr, name(n), HOUR, Belief::Believed);
        }
        for (whose, client) in [("own", asker), ("others'", other)] {
            let cost = cost(size, |_| {
                assert_eq!(decide_once(&policy, &knowledge, (client, addr)), Verdict::Allow);
            });
            report.add(Row::of("decide", cost).family(Family::V4).keys(whose).rules(rules).names(names));
        }
    }
}

/// Clients that nobody told anything, to an address of which nothing is known: the refusal that costs most look-ups.
fn of_strangers(size: &Size, report: &mut Report) {
    let (rules, observations) = (size.most_rules(), size.most_observations());
    let policy = policy(rules);
    let told = Told { family: Family::V4, rules };
    let knowledge = told.knowledge(observations);
    let cost = cost(size, |n| {
        let pair = told.pair(2 * observations + n % RANDOM);
        assert_eq!(decide_once(&policy, &knowledge, pair), Verdict::Deny);
    });
    report.add(Row::of("decide", cost).family(Family::V4).keys("unknown").rules(rules).observations(observations));
}
