//! What a client may take of the relay for DNS over TCP, and what becomes of it when the relay or its client goes.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::Signal;
use socket2::{Domain, Socket, Type};

use super::over_tcp::{acted, github, honest, open, tcp};
use crate::world::{
    DnsStream, Family, GATEWAY_INSIDE, GITHUB, Message, Question, RESOLVER, RawSender, STRANGER, Segment, Setup, World,
    both, eventually, flag, framed,
};

/// The relay's port.
const RELAY: u16 = 15099;
/// Connections that one client may have.
const SHARE: usize = 64;

#[test]
fn one_clients_crowd_leaves_the_others_their_places() {
    let world = Setup::default().start();
    let _resolver = honest(&world);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut turned_away = 0;
            both(|family| {
                let to = SocketAddr::new(RESOLVER.of(family), 53);
                // Held to the end, those that were reset among them.
                let crowd: Vec<io::Result<TcpStream>> =
                    world.clients[0].namespace.enter(|| (0..1_000).map(|_| TcpStream::connect(to)).collect());
                assert!(crowd.iter().filter(|connection| connection.is_ok()).count() >= SHARE);
                // Those that still wait to be accepted would find the places of the others once these are let go.
                turned_away += 900;
                eventually("a crowd that is turned away", || (tcp(&world, "overload") >= turned_away).then_some(()));
                assert!(tcp(&world, "open") >= u64::try_from(SHARE).unwrap());
            });
            over.store(true, Ordering::Relaxed);
        });
        let mut served = 0;
        while !over.load(Ordering::Relaxed) || served < 5 {
            both(|family| {
                let mut stream = DnsStream::open(&world.clients[1], RESOLVER.of(family)).unwrap();
                let address = stream.look_up(served, github(family)).addresses[0];
                world.clients[1].reach(address, 22).unwrap();
            });
            served += 1;
        }
    });
    assert!(tcp(&world, "overload") >= 1_800, "{}", world.gateway.status());
    both(|family| {
        let event = world.gateway.event(RESOLVER.of(family), 53, "overload");
        assert_eq!((&event["proto"], &event["verdict"]), (&"tcp".into(), &"deny".into()), "{event}");
    });
    eventually("places that are free again", || (tcp(&world, "open") == 0).then_some(()));
    both(|family| assert_eq!(open(&world, family).look_up(1, github(family)).addresses, [GITHUB.of(family)]));
}

#[test]
fn a_client_that_takes_all_it_can_costs_a_bounded_amount_of_memory() {
    let world = Setup::default().start();
    // It reads, and answers nothing.
    let _resolver = acted(&world, |mut asker| while asker.hears().is_some() {});
    let memory = || world.gateway.process.as_ref().unwrap().resident();
    let before = memory();
    both(|family| {
        let label = "x".repeat(61);
        let name = |id: u16| format!("{id:05}{}.{label}.{label}.{label}", &label[5..]);
        let questions: Vec<u8> = (0..127)
            .flat_map(|id| framed(&Message::query(id, Question::new(&name(id), family)).encode()))
            .chain(framed(&vec![0xff; 65_535])[..65_000].to_vec())
            .collect();
        let crowd: Vec<DnsStream> = (0..SHARE)
            .map(|_| {
                let mut stream = open(&world, family);
                stream.say_bytes(&questions).unwrap();
                stream
            })
            .collect();
        eventually("questions that wait", || {
            let messages = world.gateway.status()["dns"]["messages"]["questions"].as_u64().unwrap();
            let each = u64::try_from(127 * SHARE).unwrap();
            (messages >= if family == Family::V4 { each } else { 2 * each }).then_some(())
        });
        // What is promised for a client, and what the allocator makes of it.
        assert!(memory() < before + (32 << 20), "{before} bytes became {}", memory());
        drop(crowd);
    });
}

#[test]
fn a_client_that_does_not_read_is_given_up_and_holds_up_nobody() {
    let world = Setup::default().start();
    let _resolver = acted(&world, |mut asker| {
        while let Some(query) = asker.hears() {
            let family = if query.question.record_type == 1 { Family::V4 } else { Family::V6 };
            let many = if query.id == 0 { 1 } else { 1_500 };
            asker.answers(&Message::answer(query.id, query.question, &vec![STRANGER.of(family); many], 60));
        }
    });
    let mut slow: Vec<DnsStream> = Family::BOTH.map(|family| open(&world, family)).into();
    for (stream, family) in slow.iter_mut().zip(Family::BOTH) {
        // More than all buffers on the way hold.
        let questions: Vec<u8> =
            (1..1_000).flat_map(|id| framed(&Message::query(id, github(family)).encode())).collect();
        stream.tcp().set_nonblocking(true).unwrap();
        // As much as there is room for.
        let _ = stream.say_bytes(&questions);
    }
    eventually("two clients that are given up", || {
        both(|family| assert_eq!(open(&world, family).look_up(0, github(family)).addresses.len(), 1));
        (tcp(&world, "client_failed") == 2).then_some(())
    });
}

#[test]
fn who_asks_nothing_or_half_a_question_is_closed_soon() {
    let world = Setup::default().start();
    let resolver = honest(&world);
    let mut streams = Family::BOTH.map(|family| [open(&world, family), open(&world, family)]);
    for [_, half] in &mut streams {
        half.say_bytes(&[0, 30, 1, 2]).unwrap();
    }
    for stream in streams.iter_mut().flatten() {
        stream.is_reset_or_ends();
    }
    eventually("free places", || (tcp(&world, "open") == 0).then_some(()));
    assert_eq!(resolver.connections(), vec![]);
}

#[test]
fn the_relay_itself_serves_nobody() {
    let world = Setup::default().start();
    let resolver = honest(&world);
    for host in [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        let stream = world.gateway.namespace.enter(|| TcpStream::connect((host, RELAY)).unwrap());
        let mut stream = DnsStream::new(stream);
        // It may have been reset before this.
        let _ = stream.say(&Message::query(1, github(Family::of(host))).encode());
        stream.is_reset_or_ends();
    }
    assert_eq!((tcp(&world, "strangers"), tcp(&world, "connections")), (2, 0));
    both(|family| {
        world.clients[0].is_refused(GATEWAY_INSIDE.of(family), RELAY);
        world.gateway.event(GATEWAY_INSIDE.of(family), RELAY, "local-service");
    });
    assert_eq!(resolver.heard(), Vec::<Vec<u8>>::new());
}

#[test]
fn only_a_clean_syn_begins_a_connection() {
    let world = Setup::default().start();
    let resolver = honest(&world);
    let sender = RawSender::new(&world.clients[0].namespace);
    both(|family| {
        let from = SocketAddr::new(world.clients[0].address(family), 40_000);
        let to = SocketAddr::new(RESOLVER.of(family), 53);
        for flags in [flag::ACK, flag::SYN | flag::ACK, flag::SYN | flag::FIN, flag::PSH | flag::ACK, 0] {
            let payload = framed(&Message::query(1, github(family)).encode());
            sender.send(&Segment { flags, payload, ..Segment::syn(from, to) }.packet());
        }
        world.gateway.event(RESOLVER.of(family), 53, "not-a-syn");
    });
    assert_eq!((tcp(&world, "connections"), resolver.heard()), (0, vec![]));
    both(|family| assert_eq!(world.internet.wire.to(RESOLVER.of(family)), []));
}

#[test]
fn a_connection_from_before_the_start_is_cut() {
    let mut world = Setup::default().build();
    let resolver = honest(&world);
    let mut streams = Family::BOTH.map(|family| open(&world, family));
    for (stream, family) in streams.iter_mut().zip(Family::BOTH) {
        assert_eq!(stream.look_up(1, github(family)).addresses, [GITHUB.of(family)]);
    }
    world.gateway.start();
    for (stream, family) in streams.iter_mut().zip(Family::BOTH) {
        stream.ask(2, github(family));
        stream.is_reset();
        world.gateway.event(RESOLVER.of(family), 53, "not-a-syn");
    }
    assert_eq!(resolver.heard().len(), 2);
}

#[test]
fn a_kill_ends_connections_and_refuses_new_ones_until_the_restart() {
    let mut world = Setup::default().start();
    let resolver = honest(&world);
    let mut streams = Family::BOTH.map(|family| open(&world, family));
    for (stream, family) in streams.iter_mut().zip(Family::BOTH) {
        assert_eq!(stream.look_up(1, github(family)).addresses, [GITHUB.of(family)]);
    }
    world.gateway.end_by(Signal::SIGKILL);
    let before = resolver.heard().len();
    for (stream, family) in streams.iter_mut().zip(Family::BOTH) {
        let _ = stream.say(&Message::query(2, github(family)).encode());
        stream.is_reset_or_ends();
        world.clients[0].is_refused(RESOLVER.of(family), 53);
    }
    assert_eq!(resolver.heard().len(), before);
    world.gateway.start();
    both(|family| {
        let address = open(&world, family).look_up(3, github(family)).addresses[0];
        assert!(world.clients[0].reach(address, 22).is_ok());
    });
    assert_eq!(world.internet.wire.leaked(), []);
}

/// The relay panics, another program takes its port: nobody is served by that, and `status` says what is missing.
#[test]
fn a_relay_that_ends_is_refused_for_until_it_is_back() {
    let mut world = Setup::default().build();
    world.gateway.environment = vec![("DECIDER_FAULT".to_owned(), "panic-on-client-port:40053".to_owned())];
    world.gateway.start();
    let _resolver = honest(&world);
    both(|family| {
        let hosts = [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
        drop(connect_from(&world, family, 40_053));
        let taken: Vec<TcpListener> = world.gateway.namespace.enter(|| {
            hosts.map(|host| eventually("the relay's port", || TcpListener::bind((host, RELAY)).ok())).into()
        });
        world.gateway.wait_until_degraded("relay");
        world.clients[0].is_refused(RESOLVER.of(family), 53);
        world.gateway.event(RESOLVER.of(family), 53, "listener-not-ready");
        // Everything else goes on.
        assert!(world.clients[0].reach_name("github.com", family, 22).is_ok());
        drop(taken);
        world.gateway.wait_until_ready();
        assert_eq!(open(&world, family).look_up(1, github(family)).addresses, [GITHUB.of(family)]);
    });
    assert_eq!(world.internet.wire.leaked(), []);
}

pub fn connect_from(world: &World, family: Family, port: u16) -> Socket {
    let client = &world.clients[0];
    let from = SocketAddr::new(client.address(family), port);
    let to = SocketAddr::new(RESOLVER.of(family), 53);
    client.namespace.enter(|| {
        let socket = Socket::new(Domain::for_address(from), Type::STREAM, None).unwrap();
        socket.bind(&from.into()).unwrap();
        socket.connect(&to.into()).unwrap();
        socket
    })
}

#[test]
fn audit_learns_over_tcp_and_lets_everything_through() {
    let mut world = Setup { top: "mode: audit", ..Setup::default() }.start();
    let resolver = honest(&world);
    both(|family| {
        let mut stream = open(&world, family);
        let address = stream.look_up(1, github(family)).addresses[0];
        assert!(world.clients[0].reach(address, 22).is_ok());
        let trailing = [Message::query(2, github(family)).encode(), vec![0]].concat();
        stream.say(&trailing).unwrap();
        assert_eq!(stream.hear_message().id, 2);
        assert_eq!(resolver.heard().last(), Some(&trailing));
        world.gateway.event(RESOLVER.of(family), 53, "malformed");
    });
    let cache = world.gateway.json(&["cache", "--name", "github.com"]);
    assert_eq!(cache.as_array().unwrap().len(), 2, "{cache}");
    // Without a relay it goes its own way.
    world.gateway.end_by(Signal::SIGKILL);
    both(|family| assert_eq!(open(&world, family).look_up(3, github(family)).addresses, [GITHUB.of(family)]));
    let by_itself =
        resolver.connections().iter().filter(|from| world.clients[0].addresses.both().contains(&from.ip())).count();
    assert_eq!(by_itself, 2);
}
