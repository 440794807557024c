//! What is missing at the start, and who talks to the control socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::world::{Covered, Hammer, STRANGER, Setup, World, both, kernel_state};

/// The exit code of "the system refused".
const REFUSED: i32 = 4;

fn fails(world: &mut World, words: &[&str]) {
    let before = kernel_state(&world.gateway.namespace);
    let start = world.gateway.failed_start();
    assert_eq!(start.code, Some(REFUSED), "{}", start.log);
    for word in words {
        assert!(start.log.contains(word), "no {word:?} in: {}", start.log);
    }
    before.is_unchanged(&world.gateway.namespace);
    assert_eq!(world.gateway.namespace.processes(), []);
}

/// What of the ruleset is a module each: without it the kernel says that there is no such thing.
const IN_MODULES: [&str; 6] = ["tproxy", "fib ", "reject ", "limit ", "log ", "ct mark"];

pub fn a_kernel_without_a_module(covered: Covered) {
    let mut world = Setup { covered, ..Setup::default() }.build();
    let tools = world.gateway.path("tools");
    std::fs::create_dir(&tools).unwrap();
    let path = std::env::var("PATH").unwrap();
    world.gateway.environment = vec![("PATH".to_owned(), format!("{}:{path}", tools.display()))];
    for word in IN_MODULES {
        // An nft that hands everything on but what the kernel would refuse.
        let script = format!(
            "#!/bin/sh\nPATH='{path}'\ncase \"$*\" in *--file*) text=$(mktemp); cat >\"$text\"
if grep -q '{word}' \"$text\"; then rm \"$text\"; echo 'Error: Could not process rule: No such file or directory' >&2; exit 1; fi
nft \"$@\" <\"$text\"; status=$?; rm \"$text\"; exit $status;; *) exec nft \"$@\";; esac\n"
        );
        std::fs::write(tools.join("nft"), script).unwrap();
        std::fs::set_permissions(tools.join("nft"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        fails(&mut world, &["No such file or directory"]);
    }
    world.gateway.environment = vec![];
    // Once it has been closed, a start that fails leaves it so.
    world.gateway.start();
    both(|family| {
        world.covered(0).is_refused(STRANGER.of(family), 22);
        world.gateway.event(STRANGER.of(family), 22, "no-observation");
    });
    world.gateway.adds_up();
    world.gateway.end_by(nix::sys::signal::Signal::SIGTERM);
    world.gateway.environment = vec![("PATH".to_owned(), format!("{}:{path}", tools.display()))];
    fails(&mut world, &["No such file or directory"]);
    both(|family| world.covered(0).is_shut_out(STRANGER.of(family), 22));
    assert_eq!(world.internet.wire.leaked(), []);
}

#[test]
fn line_30_a_kernel_without_a_module_is_an_error_and_no_open_door() {
    a_kernel_without_a_module(Covered::Clients);
}

pub fn without_the_right_to_raw_sockets(covered: Covered) {
    let mut world = Setup { covered, ..Setup::default() }.build();
    world.gateway.wrapper = ["setpriv", "--bounding-set=-net_raw"].map(str::to_owned).to_vec();
    fails(&mut world, &["raw socket", "Operation not permitted"]);
}

#[test]
fn line_30_without_the_right_to_raw_sockets_there_is_no_start() {
    without_the_right_to_raw_sockets(Covered::Clients);
}

fn connect(world: &World) -> UnixStream {
    let stream = UnixStream::connect(world.gateway.path("control.sock")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

fn works(world: &World) {
    world.works();
    both(|family| drop(world.gateway.event(STRANGER.of(family), 22, "no-observation")));
    world.gateway.adds_up();
}

#[test]
fn line_29_half_a_message_has_its_time_and_then_an_end() {
    let world = Setup::default().start();
    let mut halves: Vec<UnixStream> = (0..64).map(|_| connect(&world)).collect();
    for half in &mut halves {
        half.write_all(br#"{"v":1,"requ"#).unwrap();
    }
    works(&world);
    for mut half in halves {
        let mut said = Vec::new();
        // Said why, closed or reset: it comes to an end.
        if let Err(error) = half.read_to_end(&mut said) {
            assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "it is still open");
        }
    }
    works(&world);
}

#[test]
fn line_29_a_gigabyte_of_garbage_is_not_read() {
    let world = Setup::default().start();
    let before = world.gateway.process.as_ref().unwrap().peak();
    let garbage = vec![b'x'; 1 << 20];
    let mut taken = 0_usize;
    'all: for _ in 0..1024 {
        let mut stream = connect(&world);
        for _ in 0..16 {
            match stream.write_all(&garbage) {
                Ok(()) => taken += garbage.len(),
                Err(_) => continue 'all,
            }
        }
    }
    assert!(taken < 512 << 20, "{taken} bytes were taken");
    let peak = world.gateway.process.as_ref().unwrap().peak();
    assert!(peak < before + (32 << 20), "{before} bytes became {peak}");
    works(&world);
}

#[test]
fn line_29_who_follows_events_and_does_not_read_holds_up_nobody() {
    let world = Setup::default().start();
    let mut follower = connect(&world);
    follower.write_all(b"{\"v\":1,\"request\":\"events\",\"last\":0,\"follow\":true}\n").unwrap();
    let before = world.gateway.process.as_ref().unwrap().resident();
    let hammer = Hammer::start(&world.covered(1));
    // Each address is an event of its own.
    both(|family| drop(world.covered(0).visit_all("fresh.example", family, 22, 4_000)));
    hammer.strikes(500);
    drop(hammer);
    works(&world);
    let after = world.gateway.process.as_ref().unwrap().resident();
    assert!(after < before + (64 << 20), "{before} bytes became {after}");
    // What it was not told is told as a gap; how much that is depends on how fast it was written to.
    let lines = BufReader::new(follower).lines().take(100).map(Result::unwrap);
    assert!(lines.into_iter().all(|line| line.starts_with("{\"v\":1,\"")));
}
