//! A name whose address changes with every answer and is good for a second: no connection is falsely refused, and none is
//! let through for longer than the policy says.

use std::net::IpAddr;
use std::time::Duration;

use crate::world::{Setup, World, both, eventually};

const ROUNDS: usize = 5_000;

/// TTL and grace, and what a clock may be off.
const GONE: Duration = Duration::from_millis(2_200);

#[test]
fn every_new_address_is_reached_and_none_outlives_its_time() {
    let world = Setup { dns: ", min_ttl: 1s, grace: 1s", ..Setup::default() }.start();
    world.internet.zone.set_ttl(1);
    both(|family| {
        let addresses = world.clients[0].visit_all("fresh.example", family, 22, ROUNDS);
        let last = *addresses.last().unwrap();
        assert_eq!(explained(&world, last), Some(0));
        // Its connection holds it as long as both sides have not closed.
        eventually("the end of its connection", || (held_by(&world, last) == 0).then_some(()));
        std::thread::sleep(GONE);
        world.clients[0].is_refused(last, 22);
        let event = world.gateway.event(last, 22, "observation-expired");
        assert_eq!(event["domain"], "fresh.example", "{event}");
        // The same address, asked for again, is good again.
        world.internet.zone.put("github.com", &[last]);
        assert_eq!(world.clients[0].look_up("github.com", family), [last]);
        assert_eq!(explained(&world, last), Some(0));
    });
    let counters = world.gateway.status()["counters"].clone();
    assert_eq!(counters["allowed"], 2 * ROUNDS, "{counters}");
    // Three tries in both families, each refused.
    assert_eq!(counters["denied"], 6, "{counters}");
    assert_eq!(world.internet.wire.leaked(), []);
}

fn explained(world: &World, dst: IpAddr) -> Option<i32> {
    let client = world.clients[0].addresses.both().into_iter().find(|own| own.is_ipv4() == dst.is_ipv4()).unwrap();
    let (client, dst) = (client.to_string(), dst.to_string());
    world.gateway.cli(&["explain", "--client", &client, "--dst", &dst, "--port", "22"]).status.code()
}

/// How many connections hold what is known of an address.
fn held_by(world: &World, address: IpAddr) -> u64 {
    let known = world.gateway.json(&["cache", "--name", "fresh.example", "-n", "100000"]);
    let entries = known.as_array().unwrap().iter().filter(|entry| entry["address"] == address.to_string());
    entries.map(|entry| entry["flows"].as_u64().unwrap()).sum()
}
