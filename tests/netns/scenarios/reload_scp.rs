//! A copy by `scp` from a real SSH server goes on while one policy after the other comes into force.
//!
//! `DECIDER_RELOADS` says how many reloads there are to be (20), `DECIDER_SCP_MIB` how much is copied over each family (24).

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::reload_storm::{ALWAYS, SOMETIMES, reloads};
use crate::world::{
    Family, GITHUB, Internet, RESOLVER, Resolver, Setup, Sshd, World, make_key, resolv_conf, with_resolv_conf,
};

fn mebibytes() -> u64 {
    std::env::var("DECIDER_SCP_MIB").map_or(24, |text| text.parse().unwrap())
}

/// What is copied: nothing makes it shorter.
fn make_file(directory: &Path) {
    let script = format!("head -c {}M /dev/urandom >file", mebibytes());
    assert!(Command::new("sh").args(["-ec", &script]).current_dir(directory).status().unwrap().success());
}

/// One that runs: its process, and what it has written so far.
struct Copy {
    process: Child,
    to: PathBuf,
}

impl Copy {
    /// From github.com to the first client, over one family, at as many kilobits a second.
    fn start(world: &World, directory: &Path, family: Family, rate: u64) -> Self {
        let to = directory.join(format!("copy{}", family.flag()));
        let mut command = with_resolv_conf(&resolv_conf(directory, RESOLVER.of(family)));
        command.args(["scp", "-q", family.flag(), "-B", "-l", &rate.to_string()]);
        command.arg("-i").arg(directory.join("key"));
        command.arg("-o").arg(format!("UserKnownHostsFile={}/known_hosts", directory.display()));
        command.arg(format!("root@github.com:{}/file", directory.display())).arg(&to);
        let process = world.clients[0].namespace.enter(|| command.spawn()).unwrap();
        Self { process, to }
    }

    fn length(&self) -> u64 {
        std::fs::metadata(&self.to).map_or(0, |file| file.len())
    }

    /// Watches it grow until its end: the longest time between two times that it did.
    fn longest_gap(&mut self) -> Duration {
        while self.length() == 0 {
            assert!(self.process.try_wait().unwrap().is_none(), "no byte came");
            thread::sleep(Duration::from_millis(1));
        }
        let (mut length, mut last, mut longest) = (self.length(), Instant::now(), Duration::ZERO);
        loop {
            let ended = self.process.try_wait().unwrap();
            if self.length() > length {
                longest = longest.max(last.elapsed());
                (length, last) = (self.length(), Instant::now());
            }
            if let Some(status) = ended {
                assert!(status.success(), "scp: {status}");
                return longest;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // It has ended, if all went well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Tells of the end, however it comes.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Copies over both families at once while `work` goes on, which is told of the end. The longest gaps, and the time taken.
fn copied(world: &World, directory: &Path, rate: u64, work: impl FnOnce(&AtomicBool)) -> ([Duration; 2], Duration) {
    let (ended, began) = (&AtomicBool::new(false), Instant::now());
    let gaps = thread::scope(|scope| {
        let copies = Family::BOTH.map(|family| {
            let mut copy = Copy::start(world, directory, family, rate);
            let end = End(ended);
            scope.spawn(move || {
                let gap = copy.longest_gap();
                drop(end);
                let same = Command::new("cmp").arg(directory.join("file")).arg(&copy.to).status().unwrap();
                assert!(same.success(), "{family:?}: the copy is another");
                std::fs::remove_file(&copy.to).unwrap();
                gap
            })
        });
        work(ended);
        copies.map(|copy| copy.join().unwrap())
    });
    (gaps, began.elapsed())
}

#[test]
fn a_copy_by_scp_goes_through_reloads() {
    let mut world = Setup { internet: Internet::bare, ..Setup::default() }.build();
    world.gateway.write_rules(&[ALWAYS]);
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    let place = world.internet.namespace.clone();
    world.internet.zone.put("github.com", &GITHUB.both());
    let _resolver = Resolver::start(&place, &RESOLVER.both(), &world.internet.zone);
    let server = Sshd::start(&place, directory, "github.com", GITHUB);
    std::fs::write(directory.join("known_hosts"), format!("github.com {}\n", server.key)).unwrap();
    make_file(directory);
    make_key(directory);
    world.gateway.start();

    // Some four reloads a second, and half as long again.
    let rate = mebibytes() * 8 * 1024 * 4 * 2 / 3 / reloads() as u64;
    let mut done = 0;
    let (gaps, took) = copied(&world, directory, rate, |ended| {
        while !ended.load(Ordering::Relaxed) {
            world.gateway.write_rules([&[ALWAYS][..], &[SOMETIMES, ALWAYS]][done % 2]);
            world.gateway.reloads();
            done += 1;
        }
    });
    let (without, _) = copied(&world, directory, rate, |_| ());
    for ((family, gap), without) in Family::BOTH.into_iter().zip(gaps).zip(without) {
        println!(
            "scp over {family:?}: {} MiB through {done} reloads in {took:.1?}, longest gap {gap:.1?}; \
             without reloads {without:.1?}",
            mebibytes(),
        );
    }
    assert!(done > 3, "{done} reloads");
    assert_eq!(server.connections(), 4);
    world.gateway.adds_up();
    assert_eq!(world.internet.wire.leaked(), []);
}
