use std::time::{Duration, Instant};

use socket2::Type;

use super::Site;
use super::site::{end, far, marks};
use crate::world::Family;

/// Datagrams in a round.
const DATAGRAMS: u32 = 100_000;
const ROUNDS: usize = 5;

/// What a datagram costs that the ruleset let through; the least of all rounds, since others only add to it.
fn nanoseconds(site: &Site, family: Family) -> Duration {
    let socket = site.socket(family, Type::DGRAM, None, marks().direct().0);
    let to = end(far(family), 9);
    let began = Instant::now();
    for _ in 0..DATAGRAMS {
        let _ = socket.send_to(b"x", &to);
    }
    began.elapsed() / DATAGRAMS
}

/// With `--nocapture` it prints the figures of docs/performance.md. It is no test of the time.
#[test]
fn what_a_packet_costs_that_goes_by_it() {
    let site = Site::new();
    println!("family  a datagram without it  with it");
    for family in Family::BOTH {
        let (mut without, mut with) = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            without = without.min(nanoseconds(&site, family));
            site.ensure(true);
            with = with.min(nanoseconds(&site, family));
            site.ensure(false);
        }
        println!("{:<7} {without:?} {with:?}", format!("{family:?}"));
    }
}
