use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::fcntl::OFlag;
use rustix::process::{Pid, PidfdFlags, Signal};
use serde::{Deserialize, Serialize};
use tokio::io::unix::AsyncFd;
use tokio::time::timeout;

use super::directory::{Directory, read_own};
use super::error::EnvoyError;
use super::layout::Layout;
use super::program::Program;
use super::{limits, logs};

/// How long it may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(3);
/// Worker threads at most: more are of no use for what a gateway forwards.
const MOST_WORKERS: usize = 8;

/// An Envoy that decider started, now or before.
#[derive(Debug)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    exit: AsyncFd<OwnedFd>,
    /// None if a decider before this one started it.
    child: Option<Child>,
}

/// What is kept of a process, so that the next decider knows it again.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Saved {
    pid: u32,
    /// In clock ticks since boot: another process with the same number began later.
    start_time: u64,
    /// Its network namespace, as `/proc/PID/ns/net` names it: that of another user's process cannot be looked at.
    namespace: PathBuf,
    program: Program,
}

/// An Envoy that a decider left behind.
#[derive(Debug)]
pub struct Leftover {
    /// The process.
    pub process: Process,
    /// What was started.
    pub program: Program,
}

impl Process {
    /// Starts Envoy with the files of a directory, in a process group of its own: it outlives decider.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn spawn(program: &Program, directory: &Directory) -> Result<Self, EnvoyError> {
        let layout = &directory.layout;
        let failed = |operation| EnvoyError::system(operation, &program.binary);
        limits::raise();
        logs::make_way(layout, program.account)?;
        let log = open_log(&layout.log())?;
        let errors = log.try_clone().map_err(EnvoyError::system("open", &layout.log()))?;
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_WORKERS);
        let child = program
            .command()
            .arg("--config-path")
            .arg(layout.bootstrap())
            .arg("--disable-hot-restart")
            .args(["--concurrency", &workers.to_string()])
            .args(["--log-level", "warning", "--file-flush-interval-msec", "250"])
            // How long what is taken from its files goes on: whatever it still has then was cut before.
            .args(["--drain-time-s", "1"])
            .env_clear()
            // For a script that starts the program.
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(failed("start"))?;
        let pid = child.id();
        let exit = watch(pid).map_err(failed("watch"))?;
        let process = Self { pid, exit, child: Some(child) };
        if let (Some(start_time), Some(namespace)) = (start_time(pid), own_namespace()) {
            let saved = Saved { pid, start_time, namespace, program: program.clone() };
            directory.replace(&layout.pid(), &saved)?;
        }
        Ok(process)
    }

    /// The Envoy that a decider left behind, if it runs.
    ///
    /// # Errors
    /// If it runs in another network namespace.
    pub fn left_in(layout: &Layout) -> Result<Option<Leftover>, EnvoyError> {
        let Some(saved) = read_own(&layout.pid()).and_then(|text| serde_json::from_slice::<Saved>(&text).ok()) else {
            return Ok(None);
        };
        // The descriptor comes first: what it stands for cannot be replaced while the rest is read.
        let Ok(exit) = watch(saved.pid) else { return Ok(None) };
        if !is_ours(&saved, layout) {
            return Ok(None);
        }
        if Some(&saved.namespace) != own_namespace().as_ref() {
            return Err(EnvoyError::Elsewhere { path: layout.directory().to_owned(), pid: saved.pid });
        }
        Ok(Some(Leftover { process: Self { pid: saved.pid, exit, child: None }, program: saved.program }))
    }

    /// Waits until it has ended; says how.
    pub async fn exited(&mut self) -> String {
        // An error is not possible here: the descriptor is open. If it were, "ended" is the safe thing to believe.
        let _ = self.exit.readable().await;
        match self.child.as_mut().map(Child::wait) {
            Some(Ok(status)) => status.to_string(),
            Some(Err(_)) | None => "it has ended".to_owned(),
        }
    }

    /// Ends it, whatever it does.
    ///
    /// # Errors
    /// If it is still there after it was killed.
    pub async fn stop(mut self) -> Result<(), EnvoyError> {
        for signal in [Signal::TERM, Signal::KILL] {
            // It may have ended on its own.
            let _ = rustix::process::pidfd_send_signal(self.exit.get_ref(), signal);
            if timeout(GRACE, self.exited()).await.is_ok() {
                return Ok(());
            }
        }
        Err(EnvoyError::Undying(self.pid))
    }

    /// Ends it at once.
    pub fn kill(&self) {
        // It may have ended on its own.
        let _ = rustix::process::pidfd_send_signal(self.exit.get_ref(), Signal::KILL);
    }
}

fn open_log(path: &Path) -> Result<File, EnvoyError> {
    // Envoy's user can write in the directory: no link or pipe of its making is followed.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let opened = OpenOptions::new().create(true).append(true).mode(0o600).custom_flags(flags.bits()).open(path);
    opened.map_err(EnvoyError::system("open", path))
}

fn watch(pid: u32) -> io::Result<AsyncFd<OwnedFd>> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    let descriptor = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
    #[expect(deprecated, reason = "an OwnedFd keeps what its successor, an unsafe function, asks for")]
    AsyncFd::with_interest(descriptor, tokio::io::Interest::READABLE)
}

/// Whether the process is still the one that was saved.
fn is_ours(saved: &Saved, layout: &Layout) -> bool {
    let wanted = saved.program.account.map_or(nix::unistd::geteuid().as_raw(), |account| account.uid);
    let command = std::fs::read(format!("/proc/{}/cmdline", saved.pid)).unwrap_or_default();
    let bootstrap = layout.bootstrap();
    let names_it = command.split(|byte| *byte == 0).any(|word| word == bootstrap.as_os_str().as_encoded_bytes());
    start_time(saved.pid) == Some(saved.start_time) && user(saved.pid) == Some(wanted) && names_it
}

/// When a process began, in clock ticks since boot; none if it does not run any more (`proc_pid_stat(5)`).
fn start_time(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let ended = matches!(fields.next()?, "Z" | "X");
    let start_time = fields.nth(18)?.parse().ok()?;
    (!ended).then_some(start_time)
}

/// Whom a process runs as (`Uid` of `proc_pid_status(5)`, the second: effective).
fn user(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The namespace of this thread, and so of what it starts.
fn own_namespace() -> Option<PathBuf> {
    std::fs::read_link("/proc/thread-self/ns/net").ok()
}

/// How often a process had to wait for a page from a disk in its life; none if there is no such process.
pub fn major_faults(pid: u32) -> Option<u64> {
    let process = procfs::process::Process::new(pid.try_into().ok()?).ok()?;
    Some(process.stat().ok()?.majflt)
}
