use std::io::Write;
use std::net::{IpAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use decider::kernel::{Change, monitor};
use socket2::Type;

use super::Site;
use super::site::{end, far, marks};
use crate::world::{Family, eventually};

/// How long the door is watched after the ruleset has been flushed.
const WATCHED: Duration = Duration::from_secs(1);
const PORT: u16 = 9;

/// What holds the door while another program has flushed the ruleset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// Nothing but that the ruleset is put back as soon as the kernel tells of it, prepared and in one go.
    Restored,
    /// A second table that only its maker may delete (`flags owner`).
    OwnedTable,
    /// The program at the egress of each interface.
    Program,
}

/// What got out, and how long there was between the first and the last of it.
#[derive(Debug)]
struct Leak {
    packets: u64,
    open: Duration,
}

/// As much as matters here of what a ruleset of decider does with what the host itself begins.
fn ruleset(table: &str, flags: &str) -> String {
    let (mask, direct) = (marks(), marks().direct());
    format!(
        "table inet {table} {{ {flags} chain out {{ type filter hook postrouting priority 300; oifname lo accept; \
         meta mark & {mask} == {direct} accept; meta l4proto udp drop; tcp flags & (syn | ack) == syn drop; }}; }}\n"
    )
}

/// What holds, with a process that keeps it as long as decider lives.
struct Keeper {
    owner: Option<Child>,
    restorer: Option<thread::JoinHandle<()>>,
    ended: std::sync::Arc<AtomicBool>,
}

impl Keeper {
    fn start(site: &Site, hold: Hold) -> Self {
        let ended = std::sync::Arc::new(AtomicBool::new(false));
        let mut keeper = Self { owner: None, restorer: None, ended: std::sync::Arc::clone(&ended) };
        match hold {
            Hold::Restored => {
                let mut changes = site.host.enter(|| monitor(None).unwrap());
                let host = site.host.clone();
                keeper.restorer = Some(thread::spawn(move || {
                    while !ended.load(Ordering::Relaxed) {
                        match changes.try_recv() {
                            Ok(Change::Ruleset) => load(&host, &ruleset("decider", "")),
                            _ => thread::yield_now(),
                        }
                    }
                }));
            }
            Hold::OwnedTable => {
                let mut nft = Command::new("nft");
                nft.arg("-i").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
                let mut owner = site.host.enter(|| nft.spawn().unwrap());
                owner.stdin.as_mut().unwrap().write_all(ruleset("hold", "flags owner;").as_bytes()).unwrap();
                eventually("the owned table", || {
                    site.host.try_sh("nft list chain inet hold out").status.success().then_some(())
                });
                keeper.owner = Some(owner);
            }
            Hold::Program => {
                site.ensure(true);
            }
        }
        keeper
    }

    fn end(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(mut owner) = self.owner.take() {
            owner.kill().unwrap();
            owner.wait().unwrap();
        }
        if let Some(restorer) = self.restorer.take() {
            restorer.join().unwrap();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.end();
    }
}

fn load(host: &crate::world::Namespace, text: &str) {
    host.enter(|| {
        let mut nft = Command::new("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        nft.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(nft.wait().unwrap().success());
    });
}

/// Flushes the ruleset while the host sends what it can, and counts what arrives.
fn flush(hold: Hold, is_dead: bool, family: Family) -> Leak {
    let site = Site::new();
    load(&site.host, &ruleset("decider", ""));
    let mut keeper = Keeper::start(&site, hold);
    if is_dead {
        keeper.end();
    }
    let stop = AtomicBool::new(false);
    let receiver = site.far.enter(|| UdpSocket::bind((far(family), PORT)).unwrap());
    let (packets, open) = thread::scope(|scope| {
        let arrivals = scope.spawn(|| arrivals(&receiver, &stop));
        scope.spawn(|| send_datagrams(&site, family, &stop));
        scope.spawn(|| send_syns(&site, family, &stop));
        thread::sleep(Duration::from_millis(300));
        assert_eq!(site.wire.to(far(family)), [], "the door was open before");
        site.host.sh("nft flush ruleset");
        thread::sleep(WATCHED);
        stop.store(true, Ordering::Relaxed);
        let open = arrivals.join().unwrap();
        (site.wire.to(far(family)).iter().map(|flow| flow.packets).sum(), open)
    });
    Leak { packets, open }
}

/// How long there was between the first datagram that came and the last.
fn arrivals(receiver: &UdpSocket, stop: &AtomicBool) -> Duration {
    receiver.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut seen: Option<(Instant, Instant)> = None;
    while !stop.load(Ordering::Relaxed) {
        if receiver.recv(&mut [0; 16]).is_ok() {
            let now = Instant::now();
            seen = Some((seen.map_or(now, |(first, _)| first), now));
        }
    }
    seen.map_or(Duration::ZERO, |(first, last)| last - first)
}

fn send_datagrams(site: &Site, family: Family, stop: &AtomicBool) {
    let socket = site.socket(family, Type::DGRAM, None, 0);
    let to = end(far(family), PORT);
    while !stop.load(Ordering::Relaxed) {
        let _ = socket.send_to(b"x", &to);
    }
}

fn send_syns(site: &Site, family: Family, stop: &AtomicBool) {
    let to: IpAddr = far(family);
    while !stop.load(Ordering::Relaxed) {
        let socket = site.socket(family, Type::STREAM, None, 0);
        socket.set_nonblocking(true).unwrap();
        let _ = socket.connect(&end(to, 22));
    }
}

/// With `--nocapture` it prints the figures of docs/performance.md.
#[test]
fn how_long_the_door_is_open_when_another_program_flushes_the_ruleset() {
    println!("what holds the door         decider  family  packets that got out  open for");
    for hold in [Hold::Restored, Hold::OwnedTable, Hold::Program] {
        for is_dead in [false, true] {
            for family in Family::BOTH {
                let leak = flush(hold, is_dead, family);
                println!(
                    "{:<27} {:<8} {:<7} {:>20}  {:?}",
                    format!("{hold:?}"),
                    if is_dead { "dead" } else { "alive" },
                    format!("{family:?}"),
                    leak.packets,
                    leak.open
                );
                match hold {
                    Hold::Program => assert_eq!(leak.packets, 0),
                    // What is tried can fail: with nobody to put the ruleset back, it does.
                    Hold::Restored | Hold::OwnedTable if is_dead => assert!(leak.packets > 0),
                    Hold::Restored | Hold::OwnedTable => {}
                }
            }
        }
    }
}
