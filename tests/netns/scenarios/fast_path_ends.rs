//! What ends the fast path: decider's death, its standing still, a worker's panic.

use nix::sys::signal::Signal;

use super::fast_path::{elements, left_to_kernel, nothing_got_out, on};
use crate::world::{Family, GITHUB, Setup, both, eventually};

#[test]
fn without_decider_it_counts_no_more_and_a_restart_begins_anew() {
    let mut world = on().start();
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        both(|family| drop(left_to_kernel(&world, 0, "github.com", GITHUB, family)));
        world.gateway.end_by(signal);
        // Both at once, long before any lease would have ended.
        std::thread::scope(|scope| {
            for family in Family::BOTH {
                let client = &world.clients[0];
                scope.spawn(move || client.is_shut_out(GITHUB.of(family), 22));
            }
        });
        world.gateway.start();
        assert_eq!(elements(&world), 0);
    }
    world.works();
    nothing_got_out(&world);
}

/// A process that stands still is there, and holds what it has; so long is the lease.
#[test]
fn a_decider_that_stands_still_loses_it() {
    let world = on().start();
    both(|family| drop(left_to_kernel(&world, 0, "github.com", GITHUB, family)));
    world.gateway.freeze();
    both(|family| {
        let is_shut = || world.clients[0].connect(GITHUB.of(family), 22).is_err().then_some(());
        eventually("a shut door", is_shut);
        world.clients[0].is_shut_out(GITHUB.of(family), 22);
    });
    world.gateway.thaw();
    world.gateway.wait_until_ready();
    both(|family| drop(left_to_kernel(&world, 0, "github.com", GITHUB, family)));
    nothing_got_out(&world);
}

/// Its queue is closed until it is started again, and the kernel does not answer in its place.
#[test]
fn a_workers_panic_takes_it_back() {
    let rules = "
  - { domain: github.com, proto: ssh }
  - { domain: db.example.com, proto: tcp, port: 5432 }
";
    let mut world = Setup { rules, ..on() }.build();
    world.gateway.environment = vec![("DECIDER_FAULT".to_owned(), "panic-on-port:5432".to_owned())];
    world.gateway.start();
    both(|family| {
        left_to_kernel(&world, 0, "github.com", GITHUB, family);
        // What only another client was told always goes to a queue.
        let address = world.clients[0].look_up("db.example.com", family)[0];
        world.clients[1].is_shut_out(address, 5432);
        eventually("a panic that is told of", || {
            let queues = world.gateway.status()["queues"].as_array()?.clone();
            queues.iter().any(|queue| queue["panics"].as_u64() >= Some(1)).then_some(())
        });
        // Nobody has connected since, so nothing has been put in again.
        assert_eq!(elements(&world), 0);
        world.gateway.wait_until_ready();
        left_to_kernel(&world, 0, "github.com", GITHUB, family);
    });
    nothing_got_out(&world);
}

/// Without enough bits for the marks in between there is the lease alone.
#[test]
fn a_mask_of_four_bits_has_the_lease() {
    let mut world = Setup { top: "fast_path: true\nmarks: { mask: \"0xf0\" }", ..on() }.start();
    both(|family| drop(left_to_kernel(&world, 0, "github.com", GITHUB, family)));
    assert!(!world.gateway.namespace.sh("nft list tables").contains("decider_alive"));
    assert_eq!(world.gateway.status()["fast_path"]["ends_with"], "lease");
    world.gateway.end_by(Signal::SIGKILL);
    both(|family| {
        let is_shut = || world.clients[0].connect(GITHUB.of(family), 22).is_err().then_some(());
        eventually("a shut door", is_shut);
    });
    world.gateway.start();
    world.works();
    nothing_got_out(&world);
}
