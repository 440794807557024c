use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};

/// A network namespace without a name: it ends with the last that is in it. Dropping it ends all processes inside.
#[derive(Clone)]
pub struct Namespace(Arc<Inner>);

struct Inner {
    file: File,
}

impl Namespace {
    /// A new one, with `lo` up and addresses that are usable at once.
    pub fn new() -> Self {
        assert!(geteuid().is_root(), "the namespace tests need root: run them as root, or leave out `--test netns`");
        let made = thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("the kernel gives no network namespace");
            File::open("/proc/thread-self/ns/net").unwrap()
        });
        let namespace = Self(Arc::new(Inner { file: made.join().unwrap() }));
        namespace.sh("ip link set lo up; sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0");
        namespace
    }

    /// Runs something inside, in a thread of its own.
    pub fn enter<T: Send>(&self, inside: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let thread = scope.spawn(|| {
                self.join();
                inside()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// What shell commands print; each must succeed.
    pub fn sh(&self, script: &str) -> String {
        let output = self.try_sh(script);
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same, whatever comes of it.
    pub fn try_sh(&self, script: &str) -> std::process::Output {
        self.enter(|| Command::new("sh").args(["-ec", script]).stdin(Stdio::null()).output().unwrap())
    }

    /// A path by which other programs find it, as long as it lives.
    pub fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.file.as_raw_fd())
    }

    /// Joins two namespaces by a pair of interfaces, both up.
    pub fn link(&self, name: &str, other: &Self, other_name: &str) {
        self.sh(&format!(
            "ip link add {name} type veth peer name {other_name} netns {}; ip link set {name} up",
            other.path()
        ));
        other.sh(&format!("ip link set {other_name} up"));
    }

    /// The processes inside.
    pub fn processes(&self) -> Vec<Pid> {
        self.0.file.metadata().map_or_else(|_| vec![], |found| processes_in(found.ino()))
    }

    fn join(&self) {
        setns(&self.0.file, CloneFlags::CLONE_NEWNET).expect("the namespace cannot be entered");
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let Ok(inode) = self.file.metadata().map(|found| found.ino()) else { return };
        for pid in processes_in(inode) {
            // It may have ended meanwhile.
            let _ = kill(pid, Signal::SIGKILL);
        }
    }
}

fn processes_in(inode: u64) -> Vec<Pid> {
    let wanted = format!("net:[{inode}]");
    let own = std::process::id();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|&pid| pid != own)
        .filter(|pid| fs::read_link(format!("/proc/{pid}/ns/net")).is_ok_and(|link| link.to_str() == Some(&wanted)))
        .filter_map(|pid| i32::try_from(pid).ok().map(Pid::from_raw))
        .collect()
}
