//! More than the kernel's queues and sockets hold, more memory than there is, clocks that say something else.

use std::io::Write;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use crate::world::{
    Covered, Family, GITHUB, GITLAB, Hammer, RESOLVER, RawSender, STRANGER, Segment, Setup, World, both, eventually,
};

fn nothing_got_out(world: &World) {
    assert_eq!(world.internet.wire.leaked(), []);
    for stranger in STRANGER.both() {
        assert_eq!(world.internet.wire.to(stranger), []);
    }
}

fn works(world: &World) {
    world.serves(1);
    both(|family| drop(world.gateway.event(STRANGER.of(family), 22, "no-observation")));
}

/// SYNs that are sent while nobody takes any out of the queue: far more than it holds.
const SYNS: u16 = 20_000;

pub fn a_full_queue(covered: Covered) {
    let world = Setup { covered, ..Setup::default() }.start();
    works(&world);
    world.gateway.freeze();
    let sender = RawSender::new(&world.covered(0).namespace);
    both(|family| {
        let from = world.covered(0).address(family);
        for port in 0..SYNS {
            let from = SocketAddr::new(from, 10_000 + port);
            sender.send(&Segment::syn(from, SocketAddr::new(STRANGER.of(family), 22)).packet());
        }
    });
    world.gateway.thaw();
    world.gateway.wait_until_ready();
    let counters = world.gateway.adds_up();
    assert!(counters["dropped_by_kernel"].as_u64() > Some(0), "{counters}");
    assert!(counters["queued"].as_u64() >= Some(2 * u64::from(SYNS)), "{counters}");
    works(&world);
    nothing_got_out(&world);
}

#[test]
fn line_24_what_a_full_queue_drops_is_counted_and_does_not_get_out() {
    a_full_queue(Covered::Clients);
}

/// More changes than the socket holds while decider looks away, and one of them is to its own rules.
pub fn changes_that_are_told_of_in_vain(covered: Covered) {
    let world = Setup { covered, ..Setup::default() }.start();
    let gateway = &world.gateway;
    let (chain, other_layer) = match covered {
        Covered::Clients | Covered::All => ("from_client", "ip rule del pref 533 iif lan1"),
        Covered::Host => ("from_host", "tc qdisc del dev wan0 clsact"),
    };
    let list = || {
        gateway.namespace.sh(&format!(
            "nft -s list chain inet decider {chain}; ip rule | grep '^53' | sort; tc filter show dev wan0 egress"
        ))
    };
    let good = list();
    gateway.freeze();
    let hammer = Hammer::start(&world.covered(0));
    gateway.namespace.sh(&format!(
        "{other_layer}; nft insert rule inet decider {chain} accept
         for n in $(seq 15000); do echo rule add pref 9000 fwmark $n lookup main; echo rule del pref 9000 fwmark $n lookup main; done >/tmp/decider-batch-$$
         ip -batch /tmp/decider-batch-$$; rm /tmp/decider-batch-$$",
    ));
    gateway.thaw();
    eventually("what was changed to be as it was", || (list() == good).then_some(()));
    assert!(std::fs::read_to_string(gateway.path("log")).unwrap().contains("netlink events were lost"));
    gateway.wait_until_ready();
    hammer.strikes(50);
    drop(hammer);
    works(&world);
    world.gateway.adds_up();
    nothing_got_out(&world);
}

#[test]
fn line_24_changes_that_are_told_of_in_vain_are_found_all_the_same() {
    changes_that_are_told_of_in_vain(Covered::Clients);
}

pub fn without_memory(covered: Covered) {
    let mut world = Setup { covered, ..Setup::default() }.start();
    works(&world);
    let pid = world.gateway.process.as_ref().unwrap().pid();
    let none = Command::new("prlimit").args(["--pid", &pid.to_string(), "--data=4096:4096"]).status().unwrap();
    assert!(none.success());
    let hammer = Hammer::start(&world.covered(0));
    // Half a message of DNS over TCP each: room has to be had for it.
    let mut process = world.gateway.process.take().unwrap();
    let mut held = Vec::new();
    let ended = (0..20).find_map(|_| {
        for family in Family::BOTH {
            if let Ok(mut stream) = world.covered(1).connect(RESOLVER.of(family), 53) {
                let _ = stream.write_all(&[&[0xff, 0xff][..], &vec![0; 60_000]].concat());
                held.push(stream);
            }
        }
        process.ended_within(Duration::from_millis(200))
    });
    assert!(ended.is_some_and(|status| !status.success()), "it goes on with what it has: {ended:?}");
    hammer.strikes(100);
    both(|family| {
        world.covered(1).is_shut_out(GITHUB.of(family), 22);
        world.covered(1).is_shut_out(STRANGER.of(family), 22);
    });
    world.gateway.start();
    hammer.strikes(100);
    drop(hammer);
    works(&world);
    world.gateway.adds_up();
    nothing_got_out(&world);
}

#[test]
fn line_25_without_memory_it_ends_and_the_door_is_closed() {
    without_memory(Covered::Clients);
}

/// The clock of the machine since its start says something else in the next run, as after a boot. That of the wall cannot be
/// set for a test alone; no decision is made by it.
pub fn another_boot_with_another_clock(covered: Covered) {
    let mut world = Setup { covered, ..Setup::default() }.start();
    works(&world);
    both(|family| assert_eq!(world.covered(0).look_up("gitlab.com", family), [GITLAB.of(family)]));
    eventually("the journal", || {
        let journal = std::fs::read_to_string(world.gateway.path("state/observations.journal")).ok()?;
        (journal.matches("gitlab.com").count() >= 2).then_some(())
    });
    for ahead in ["100000000", "1000"] {
        // Not by a kill: in another time an Envoy that was left behind is not known again.
        assert!(world.gateway.cli(&["down"]).status.success());
        world.gateway.process.take().unwrap().ended_within(Duration::from_secs(20)).unwrap();
        // Each boot has an id of its own.
        let id = world.gateway.path("boot-id");
        std::fs::write(&id, format!("boot-{ahead}\n")).unwrap();
        let inside = format!("mount --bind {} /proc/sys/kernel/random/boot_id; exec \"$@\"", id.display());
        world.gateway.wrapper = [
            "unshare",
            "--time",
            "--mount",
            "--fork",
            "--kill-child",
            "--boottime",
            ahead,
            "--monotonic",
            ahead,
            "sh",
            "-ec",
            &inside,
            "sh",
        ]
        .map(str::to_owned)
        .into();
        world.gateway.start();
        both(|family| {
            // It counts as long as its TTL and grace by the wall clock, and nobody asks again.
            let reached = world.covered(0).reach(GITLAB.of(family), 22).unwrap();
            assert!(GITLAB.both().contains(&reached));
            world.covered(0).is_refused(STRANGER.of(family), 22);
            world.gateway.event(STRANGER.of(family), 22, "no-observation");
        });
        world.gateway.adds_up();
    }
    nothing_got_out(&world);
}

#[test]
fn line_25_another_boot_with_another_clock_makes_nothing_older_or_younger() {
    another_boot_with_another_clock(Covered::Clients);
}
