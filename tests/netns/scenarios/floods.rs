//! One client floods, another works: memory stays bounded, the other is served, and every packet is accounted for.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::world::{Covered, Family, GITHUB, Message, Question, RESOLVER, RawSender, Segment, Setup, World, both};

const SYNS: u32 = 20_000;
const SOCKETS: u32 = 3_000;
const QUESTIONS: u32 = 20_000;
/// What a flood may cost decider in memory: the caches and channels, which are bounded, and not the packets.
const MEMORY: u64 = 96 << 20;
/// Far more than it takes on a slow machine; a flood that hangs has no end at all.
const BOUND: Duration = Duration::from_secs(60);

/// The other client works as long as the flood lasts: every one of its connections has to succeed.
pub(super) fn while_another_works(world: &World, family: Family, flood: impl FnOnce() + Send) -> u64 {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            flood();
            over.store(true, Ordering::Relaxed);
        });
        let mut served = 0;
        let other = world.covered(1);
        while !over.load(Ordering::Relaxed) || served < 5 {
            let reached = other.reach_name("github.com", family, 22);
            assert!(GITHUB.both().contains(&reached.unwrap()), "after {served} connections");
            served += 1;
        }
        served
    })
}

fn memory(world: &World) -> u64 {
    world.gateway.process.as_ref().unwrap().resident()
}

/// Sockets of one process after another, as a process that scans would have them.
pub fn a_flood_of_sockets(covered: Covered) {
    let world = Setup { covered, ..Setup::default() }.start();
    let before = memory(&world);
    both(|family| {
        let flooder = world.covered(0);
        let served = while_another_works(&world, family, || {
            for number in 0..SOCKETS {
                let error = flooder.connect(somewhere(family, number), 22).expect_err("a stranger was reached");
                assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "connection {number}");
            }
        });
        assert!(served >= 5);
    });
    let counters = world.gateway.adds_up();
    assert_eq!(counters["denied"], 2 * SOCKETS, "{counters}");
    assert!(memory(&world) < before + MEMORY, "{before} bytes became {}", memory(&world));
    assert_eq!(world.internet.wire.leaked(), []);
}

#[test]
pub(super) fn a_flood_of_syns() {
    let world = Setup::default().start();
    let before = memory(&world);
    let began = Instant::now();
    both(|family| {
        let sender = RawSender::new(&world.clients[0].namespace);
        let from = world.clients[0].address(family);
        let served = while_another_works(&world, family, || {
            for number in 0..SYNS {
                let port = u16::try_from(1024 + number % 60_000).unwrap();
                let to = SocketAddr::new(somewhere(family, number), 22);
                sender.send(&Segment::syn(SocketAddr::new(from, port), to).packet());
            }
        });
        assert!(served >= 5);
    });
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    let counters = world.gateway.adds_up();
    let number = |name: &str| counters[name].as_u64().unwrap();
    assert!(number("queued") >= u64::from(2 * SYNS), "{counters}");
    assert!(number("denied") + number("dropped_by_kernel") >= u64::from(2 * SYNS), "{counters}");
    assert!(memory(&world) < before + MEMORY, "{before} bytes became {}", memory(&world));
    // What one client did 20,000 times does not take as many lines.
    assert!(world.gateway.events().len() <= 10_000);
    assert_eq!(world.internet.wire.leaked(), []);
}

pub(super) fn somewhere(family: Family, number: u32) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 19, 0, 0)) + number).into(),
        Family::V6 => Ipv6Addr::new(0x2001, 0xdb8, 0x18, 7, 0, 0, 0, u16::try_from(number).unwrap()).into(),
    }
}

#[test]
pub(super) fn a_flood_of_questions() {
    let world = Setup { dns: ", capacity: 10000", ..Setup::default() }.start();
    world.internet.zone.answer_everything();
    let before = memory(&world);
    let began = Instant::now();
    both(|family| {
        let client = &world.clients[0];
        let socket = client.namespace.enter(|| UdpSocket::bind((client.address(family), 0)).unwrap());
        while_another_works(&world, family, || {
            for number in 0..QUESTIONS {
                let name = format!("name-{number}.flood.example");
                let id = u16::try_from(number % 65_536).unwrap();
                let question = Message::query(id, Question::new(&name, family)).encode();
                // A full socket is the flood's own trouble.
                let _ = socket.send_to(&question, (RESOLVER.of(family), 53));
            }
        });
    });
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    let status = world.gateway.status();
    assert!(status["dns"]["observations"].as_u64().unwrap() <= 10_000, "{status}");
    assert!(status["dns"]["messages"]["questions"].as_u64().unwrap() > 1_000, "{status}");
    assert!(memory(&world) < before + MEMORY, "{before} bytes became {}", memory(&world));
    world.gateway.adds_up();
    assert_eq!(world.internet.wire.leaked(), []);
}
