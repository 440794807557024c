//! decider is killed, stopped or panics: strangers find the door closed, flows through Envoy go on, and a restart has
//! forgotten nothing.

use std::net::SocketAddr;

use nix::sys::signal::Signal;

use crate::world::{
    Covered, Family, GITHUB, GITLAB, Hammer, OpenFlow, RawSender, STRANGER, Segment, Setup, World, both, eventually,
};

/// One open flow a family, each through Envoy.
fn open_flows(world: &World) -> Vec<OpenFlow> {
    let open = |family| {
        let address = world.covered(0).look_up("github.com", family)[0];
        OpenFlow::new(world.covered(0).connect(address, 22).unwrap())
    };
    let flows = Family::BOTH.map(open);
    for flow in &flows {
        assert!(GITHUB.both().contains(&flow.server));
    }
    flows.into()
}

fn all_alive(flows: &mut [OpenFlow]) {
    for flow in flows {
        assert!(flow.is_alive(), "a flow to {} broke", flow.server);
    }
}

fn nothing_got_out(world: &World) {
    assert_eq!(world.internet.wire.leaked(), []);
    for stranger in STRANGER.both() {
        assert_eq!(world.internet.wire.to(stranger), []);
    }
}

pub fn a_kill(covered: Covered) {
    let mut world = Setup { covered, ..Setup::default() }.start();
    let mut flows = open_flows(&world);
    both(|family| assert_eq!(world.covered(1).look_up("gitlab.com", family), [GITLAB.of(family)]));
    let envoy = world.gateway.envoy_pid();
    // What was learned is on disk within a moment.
    eventually("the journal", || {
        let journal = std::fs::read_to_string(world.gateway.path("state/observations.journal")).ok()?;
        (journal.matches("gitlab.com").count() >= 2).then_some(())
    });

    let hammer = Hammer::start(&world.covered(0));
    world.gateway.end_by(Signal::SIGKILL);
    all_alive(&mut flows);
    both(|family| {
        world.covered(0).is_shut_out(GITHUB.of(family), 22);
        world.covered(0).is_shut_out(STRANGER.of(family), 22);
        world.covered(1).is_shut_out(GITLAB.of(family), 22);
    });
    all_alive(&mut flows);
    hammer.strikes(400);

    world.gateway.start();
    hammer.strikes(400);
    assert_eq!(world.gateway.envoy_pid(), envoy);
    assert_eq!(world.gateway.status()["envoy"]["adopted"], true);
    all_alive(&mut flows);
    both(|family| {
        // Nobody asks again: what was known is still known.
        let reached = world.covered(1).reach(GITLAB.of(family), 22).unwrap();
        assert!(GITLAB.both().contains(&reached));
        world.covered(0).is_refused(STRANGER.of(family), 22);
        world.gateway.event(STRANGER.of(family), 22, "no-observation");
    });
    drop(hammer);
    nothing_got_out(&world);
    drop(open_flows(&world));
    world.gateway.adds_up();
}

#[test]
fn a_kill_closes_the_door_and_a_restart_forgets_nothing() {
    a_kill(Covered::Clients);
}

/// Packets that nobody has received yet end with the socket, decided or not.
#[test]
pub(super) fn a_kill_while_packets_wait() {
    let mut world = Setup::default().start();
    let mut flows = open_flows(&world);
    world.gateway.freeze();
    both(|family| {
        let (sender, from) = (RawSender::new(&world.clients[1].namespace), world.clients[1].address(family));
        for port in 41_000..41_100 {
            for host in [GITHUB, STRANGER] {
                let syn = Segment::syn(SocketAddr::new(from, port), SocketAddr::new(host.of(family), 22));
                sender.send(&syn.packet());
            }
        }
    });
    world.gateway.end_by(Signal::SIGKILL);
    all_alive(&mut flows);
    both(|family| world.covered(1).is_shut_out(STRANGER.of(family), 22));
    world.gateway.start();
    all_alive(&mut flows);
    world.serves(1);
    nothing_got_out(&world);
    let counters = world.gateway.adds_up();
    assert!(counters["queued"].as_u64() < Some(100), "packets of before were decided: {counters}");
}

pub fn a_stop(covered: Covered) {
    let world = Setup { covered, ..Setup::default() }.start();
    let mut flows = open_flows(&world);
    // A socket of the host itself is told that the queue is full, and would try for ever.
    let hammer = (covered != Covered::Host).then(|| Hammer::start(&world.covered(0)));
    world.gateway.freeze();
    all_alive(&mut flows);
    both(|family| {
        world.covered(1).is_shut_out(GITHUB.of(family), 22);
        world.covered(1).is_shut_out(STRANGER.of(family), 22);
    });
    if let Some(hammer) = hammer {
        hammer.strikes(400);
    }
    world.gateway.thaw();
    world.gateway.wait_until_ready();
    all_alive(&mut flows);
    drop(open_flows(&world));
    both(|family| {
        world.covered(1).is_refused(STRANGER.of(family), 22);
        world.gateway.event(STRANGER.of(family), 22, "no-observation");
    });
    nothing_got_out(&world);
    world.gateway.adds_up();
}

#[test]
fn a_stopped_decider_lets_nothing_out() {
    a_stop(Covered::Clients);
}

pub fn a_workers_panic(covered: Covered) {
    let mut world = Setup { rules: RULES_WITH_A_TRAP, covered, ..Setup::default() }.build();
    world.gateway.environment = vec![("DECIDER_FAULT".to_owned(), "panic-on-port:5432".to_owned())];
    world.gateway.start();
    let mut flows = open_flows(&world);
    let hammer = Hammer::start(&world.covered(1));
    both(|family| {
        // What only another client was told always goes to a queue.
        let address = world.covered(1).look_up("db.example.com", family)[0];
        world.covered(0).is_shut_out(address, 5432);
        eventually("a panic that is told of", || {
            let queues = world.gateway.status()["queues"].as_array()?.clone();
            queues.iter().any(|queue| queue["panics"].as_u64() >= Some(1)).then_some(())
        });
        all_alive(&mut flows);
    });
    hammer.strikes(400);
    world.gateway.wait_until_ready();
    drop(open_flows(&world));
    drop(hammer);
    nothing_got_out(&world);
    world.gateway.adds_up();
}

#[test]
fn a_workers_panic_closes_its_queue_until_it_is_started_again() {
    a_workers_panic(Covered::Clients);
}

const RULES_WITH_A_TRAP: &str = "
  - { domain: github.com, proto: ssh }
  - { domain: db.example.com, proto: tcp, port: 5432 }
";
