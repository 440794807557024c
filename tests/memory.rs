//! What an observation and an outstanding question cost, as the system counts it: docs/policy.md gives these figures.
//! A program of its own with one test, so that nothing else is counted. `--nocapture` prints the figures.

#![expect(clippy::unwrap_used, reason = "a test")]

#[path = "bench/core/resident.rs"]
mod resident;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use decider::dns::{Belief, Flow, Flows, Limits, Observations, Pending, PendingLimits, Question, question};
use decider::model::{ClientId, DomainName, Mark, Moment, Scope};
use resident::resident;

/// How many of each: enough that what the program needs anyway does not count.
const COUNT: u32 = 100_000;

/// Bytes for each of [`COUNT`] things that are made, and the things.
fn cost_of<T>(what: &str, make: impl FnOnce() -> T) -> (usize, T) {
    let before = resident();
    let made = make();
    let each = (resident() - before) / usize::try_from(COUNT).unwrap();
    println!("{what}: {each} bytes each");
    (each, made)
}

fn address(network: u16, n: u32) -> IpAddr {
    let [high, low] = [u16::try_from(n >> 16).unwrap(), u16::try_from(n & 0xffff).unwrap()];
    Ipv6Addr::new(0x2001, 0xdb8, network, 0, 0, 0, high, low).into()
}

/// A name of its own for each number, of that many characters.
fn text(n: u32, length: usize) -> String {
    let labels = format!("{n:08}.{}", ["abcdefghi"; 25].join("."));
    labels.get(..length).unwrap().trim_end_matches('.').to_owned()
}

/// Each observation at an address of its own, of a name of its own.
fn observations(clients: u32, length: usize) -> Observations {
    let room = usize::try_from(COUNT).unwrap();
    let hour = Duration::from_secs(3_600);
    let mut known = Observations::new(Limits { per_client: room, ..Limits::new(room, hour, hour, hour) });
    for n in 0..COUNT {
        let (client, name) = (ClientId(address(1, n % clients)), DomainName::parse(&text(n, length)).unwrap());
        known.learn(Moment::from_secs(1), client, address(2, n), name, hour, Belief::Believed);
    }
    assert_eq!(known.len(), room);
    known
}

fn asked(n: u32, length: usize) -> Question {
    let mut message = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in text(n, length).split('.') {
        message.push(u8::try_from(label.len()).unwrap());
        message.extend(label.as_bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    question(&message).unwrap()
}

fn pending(clients: u32, length: usize) -> Pending {
    let room = usize::try_from(COUNT).unwrap();
    let mut pending = Pending::new(PendingLimits { capacity: room, per_client: room, ..PendingLimits::default() });
    for n in 0..COUNT {
        let (client, resolver) = (SocketAddr::new(address(1, n % clients), 40_000), SocketAddr::new(address(3, 1), 53));
        pending.insert(Moment::from_secs(1), client, resolver, &asked(n, length));
    }
    assert_eq!(pending.len(), room);
    pending
}

/// Each flow to an address of its own, through a name of its own; what is known is there already.
fn flows(known: &mut Observations, clients: u32) -> Flows {
    let room = usize::try_from(COUNT).unwrap();
    let mut flows = Flows::with_room(room, room);
    for n in 0..COUNT {
        let flow =
            Flow { client: SocketAddr::new(address(1, n % clients), 40_000), dst: SocketAddr::new(address(2, n), 22) };
        let client = ClientId(flow.client.ip());
        flows.begin(flow, Mark(1), || known.hold(client, flow.dst.ip(), Scope::Client, |_| true));
    }
    assert_eq!(flows.len(), room);
    flows
}

#[test]
fn the_documented_figures_hold() {
    let (ordinary, mut a) = cost_of("an observation, 100 clients, names of 20 characters", || observations(100, 20));
    let (long, _b) = cost_of("an observation, 100 clients, names of 250 characters", || observations(100, 250));
    let (worst, _c) = cost_of("an observation, a client each, names of 250 characters", || observations(COUNT, 250));
    let (heavy, _f) = cost_of("an observation, all of one client, names of 20 characters", || observations(1, 20));
    let (question, _d) = cost_of("a question, 100 clients, names of 20 characters", || pending(100, 20));
    let (worst_question, _e) = cost_of("a question, a client each, names of 250 characters", || pending(COUNT, 250));
    let (flow, _g) = cost_of("a flow, 100 clients", || flows(&mut a, 100));
    assert!(flow < 384, "{flow}");
    assert!(ordinary <= 128, "{ordinary}");
    assert!(long < 448, "{long}");
    assert!(worst < 640, "{worst}");
    assert!(heavy < 384, "{heavy}");
    assert!(question < 256, "{question}");
    assert!(worst_question < 1_280, "{worst_question}");
}
