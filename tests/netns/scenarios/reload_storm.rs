//! Many reloads in a row. `DECIDER_RELOADS` says how many (20, so that every run of the tests has some).

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::{Covered, DATABASE, Family, GITHUB, GITLAB, Setup, World, eventually};

pub const ALWAYS: &str = "{ domain: github.com, proto: ssh }";
pub const SOMETIMES: &str = "{ domain: gitlab.com, proto: ssh }";
const MINE: [&str; 2] = [
    "{ id: mine, domain: db.example.com, proto: tcp, port: 5432 }",
    "{ id: mine, domain: gitlab.com, proto: tcp, port: 5432 }",
];
/// A stream's port, which no server of the world has.
const STREAM: &str = "{ id: stream, domain: github.com, proto: tcp, port: 7000 }";
/// Clients that connect all the time.
const CROWD: usize = 50;

pub fn reloads() -> usize {
    std::env::var("DECIDER_RELOADS").map_or(20, |text| text.parse().unwrap())
}

fn started(covered: Covered) -> World {
    let mut world = Setup { covered, ..Setup::default() }.build();
    world.gateway.write_rules(&[ALWAYS]);
    world.gateway.start();
    world
}

/// What may not grow: files and memory of both processes, what is in the kernel, what Envoy has.
struct Footprint {
    files: [usize; 2],
    memory: [u64; 2],
    table: String,
    routing: String,
    listeners: Vec<String>,
}

impl Footprint {
    fn of(world: &World) -> Self {
        let envoy = world.gateway.envoy_pid().as_raw();
        let decider = world.gateway.process.as_ref().unwrap().pid().as_raw();
        let files = [decider, envoy].map(|pid| std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count());
        let memory = [decider, envoy].map(|pid| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
            line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
        });
        let namespace = &world.gateway.namespace;
        // Sets that packets add to empty themselves after ten seconds; what is left to the kernel comes and goes.
        let table = namespace.sh(
            "nft --stateless list table inet decider | sed '/set told/,/}/d; /set fast_lease {/,/^\t}/d; /map fast[46] {/,/^\t}/d'",
        );
        let routing = namespace.sh("ip rule; ip -6 rule; ip route show table 5300; ip -6 route show table 5300");
        Self { files, memory, table: sorted(&table), routing, listeners: listeners(world) }
    }
}

/// The kernel lists elements in the order of its hash, chains in the order in which they came.
fn sorted(text: &str) -> String {
    let mut words: Vec<&str> = text.split_whitespace().map(|word| word.trim_end_matches(',')).collect();
    words.sort_unstable();
    words.join(" ")
}

/// Envoy's listeners, those that it is about to end included.
fn listeners(world: &World) -> Vec<String> {
    let socket = world.gateway.path("envoy/admin.sock");
    let command =
        format!("curl -s --unix-socket {} 'http://e/config_dump?resource=dynamic_listeners'", socket.display());
    let dump: Value = serde_json::from_str(&world.gateway.namespace.sh(&command)).unwrap();
    let configs = dump["configs"].as_array().cloned().unwrap_or_default();
    let state =
        |config: &Value| ["active_state", "warming_state", "draining_state"].map(|state| config.get(state).is_some());
    configs.iter().map(|config| format!("{} {:?}", config["name"], state(config))).collect()
}

/// What became of the crowd's connections.
#[derive(Default)]
struct Tally {
    reached: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    wrong: AtomicU64,
}

impl Tally {
    /// One visit by name; whoever is reached must be who was named.
    fn visit(&self, world: &World, number: usize) {
        let (name, port, home, always) = match number % 4 {
            0 | 1 => ("github.com", 22, GITHUB, true),
            2 => ("gitlab.com", 22, GITLAB, false),
            _ => ("db.example.com", 5432, DATABASE, false),
        };
        let family = Family::BOTH[number / 4 % 2];
        let count = match world.covered(number % 2).reach_name(name, family, port) {
            Ok(reached) if home.both().contains(&reached) => &self.reached,
            Ok(_) => &self.wrong,
            Err(error) if always => {
                eprintln!("{name} over {family:?}: {error}");
                &self.failed
            }
            Err(_) => &self.refused,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn storm(world: &World, rounds: usize) {
    let good = world.gateway.policy();
    for round in 0..rounds {
        let rules: &[&str] = match round % 5 {
            0 => &[ALWAYS, SOMETIMES, MINE[0]],
            1 => &[ALWAYS, MINE[1]],
            2 => &[MINE[0], ALWAYS, SOMETIMES],
            3 => &[ALWAYS],
            _ => {
                world.gateway.write_policy(&format!("{good}nonsense: [\n"));
                assert_eq!(world.gateway.reload(&[]).0, 1);
                world.gateway.write_policy(&good);
                continue;
            }
        };
        world.gateway.write_rules(rules);
        if round % 10 == 2 {
            thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(|| world.gateway.reloads()))));
        } else {
            world.gateway.reloads();
        }
    }
    world.gateway.write_rules(&[ALWAYS]);
    world.gateway.reloads();
}

pub fn a_storm(covered: Covered) {
    let world = started(covered);
    let (stop, tally) = (AtomicBool::new(false), Tally::default());
    let crowd = |world: &World, rounds| {
        stop.store(false, Ordering::Relaxed);
        thread::scope(|scope| {
            for number in 0..CROWD {
                let (stop, tally) = (&stop, &tally);
                scope.spawn(move || {
                    for visit in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                        tally.visit(world, number + visit);
                    }
                });
            }
            storm(world, rounds);
            stop.store(true, Ordering::Relaxed);
        });
    };
    // What is made once is made, and whatever keeps the latest of something is full.
    crowd(&world, reloads());
    settle(&world);
    let before = Footprint::of(&world);
    let began = Instant::now();
    crowd(&world, reloads());
    let took = began.elapsed();
    settle(&world);
    let after = Footprint::of(&world);

    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    println!(
        "{} reloads in {took:.1?} under {CROWD} clients: {} reached, {} refused, {} failed, {} wrong; files {:?} -> {:?}, \
         memory {:?} -> {:?} MiB (decider, Envoy)",
        reloads(),
        count(&tally.reached),
        count(&tally.refused),
        count(&tally.failed),
        count(&tally.wrong),
        before.files,
        after.files,
        before.memory,
        after.memory,
    );
    assert_eq!((count(&tally.wrong), count(&tally.failed)), (0, 0));
    assert!(count(&tally.reached) > 100);
    assert_eq!(after.listeners, before.listeners);
    assert_eq!(after.table, before.table);
    assert_eq!(after.routing, before.routing);
    for process in 0..2 {
        assert!(after.files[process] <= before.files[process] + 8, "files: {:?} -> {:?}", before.files, after.files);
        let grown = after.memory[process].saturating_sub(before.memory[process]);
        assert!(grown < 24, "memory: {:?} -> {:?} MiB", before.memory, after.memory);
    }
    world.gateway.adds_up();
    assert_eq!(world.internet.wire.leaked(), []);
    let repairs = world.gateway.status()["heal"].clone();
    assert_eq!((&repairs["ruleset"], &repairs["routes"]), (&0.into(), &0.into()), "{repairs}");
}

#[test]
fn a_storm_leads_nobody_astray_and_leaves_nothing_behind() {
    a_storm(Covered::Clients);
}

/// Waits until nothing of a connection is left, and nothing that Envoy is to end.
fn settle(world: &World) {
    eventually("the end of what was taken from Envoy", || {
        listeners(world).iter().all(|listener| listener.ends_with("[true, false, false]")).then_some(())
    });
    eventually("the end of all connections", || {
        world.gateway.namespace.sh("ss -Htn state established").lines().count().lt(&8).then_some(())
    });
}

/// Sends until the other side has gone.
fn send(mut stream: TcpStream) {
    let block = vec![7; 64 * 1024];
    while stream.write_all(&block).is_ok() {
        // A hundred MiB a second at most, so that reloads have the processors that they need.
        thread::sleep(Duration::from_micros(600));
    }
}

/// What a receiver saw: bytes, and the longest time between two reads.
fn receive(mut stream: TcpStream, stop: &AtomicBool) -> (u64, Duration) {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let (mut buffer, mut bytes, mut longest, mut last) = (vec![0; 256 * 1024], 0, Duration::ZERO, Instant::now());
    while !stop.load(Ordering::Relaxed) {
        let read = stream.read(&mut buffer).expect("the stream was cut");
        assert!(read > 0, "the stream has ended");
        longest = longest.max(last.elapsed());
        (bytes, last) = (bytes + u64::try_from(read).unwrap(), Instant::now());
    }
    (bytes, longest)
}

/// Streams of both families for as long as `work` takes.
fn streamed(world: &World, listener: &TcpListener, work: impl FnOnce()) -> BTreeMap<&'static str, (u64, Duration)> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let receivers = Family::BOTH.map(|family| {
            let near = world.clients[0].connect(world.clients[0].look_up("github.com", family)[0], 7000).unwrap();
            let (far, _) = listener.accept().unwrap();
            scope.spawn(move || send(far));
            let stop = &stop;
            scope.spawn(move || receive(near, stop))
        });
        work();
        stop.store(true, Ordering::Relaxed);
        ["IPv4", "IPv6"].into_iter().zip(receivers.map(|receiver| receiver.join().unwrap())).collect()
    })
}

#[test]
fn a_stream_goes_through_reloads_without_a_stall() {
    let mut world = Setup::default().build();
    world.gateway.write_rules(&[ALWAYS, STREAM]);
    world.gateway.start();
    let listener = world.internet.namespace.enter(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, 7000)).unwrap());
    let began = Instant::now();
    let during = streamed(&world, &listener, || {
        for round in 0..reloads() {
            let other = [SOMETIMES, MINE[round % 2]][round % 2];
            world.gateway.write_rules(&[STREAM, other, ALWAYS]);
            world.gateway.reloads();
        }
    });
    let time = began.elapsed();
    // The same for as long without a reload: what the machine itself makes of it.
    let without = streamed(&world, &listener, || thread::sleep(time));
    for (family, (bytes, longest)) in &during {
        let mib = bytes / 1024 / 1024;
        println!(
            "{family}: {mib} MiB through {} reloads in {time:.1?}, longest gap {longest:.1?}; without reloads {:.1?}",
            reloads(),
            without[family].1,
        );
        // Far from what a lost segment or a retransmitted SYN would make of it; the figures are for people.
        assert!(*longest < Duration::from_secs(1), "{family}: {longest:?}");
    }
}
