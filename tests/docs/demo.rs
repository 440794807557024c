//! The demo is run as a newcomer would run it: it must go as it tells, and leave nothing behind however it ends.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::{root, said};

/// What the README promises.
const LIMIT_SECONDS: &str = "90";

/// A demo of this test, found again by what is in its processes' environment.
struct Demo {
    mark: String,
    command: Command,
    /// The process namespace that it lives in, once it has said something.
    namespace: Option<PathBuf>,
}

impl Demo {
    fn new(test: &str) -> Self {
        let mark = format!("DEMO_OF_A_TEST={test}-{}", std::process::id());
        let mut command = Command::new("timeout");
        command
            .args(["--foreground", "--kill-after=5", LIMIT_SECONDS, "env", &mark, "tests/demo/run"])
            .current_dir(root())
            .env("DECIDER", env!("CARGO_BIN_EXE_decider"))
            .env_remove("DEMO_KEEP")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        Self { mark, command, namespace: None }
    }

    /// Starts it and reads along until it has said this.
    fn until_it_says(&mut self, words: &str) -> Child {
        let mut child = self.command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains(words)), "it has never said {words:?}");
        // Somebody has to read on, or the demo would end by writing to nobody.
        thread::spawn(move || lines.for_each(drop));
        let ours = namespace("self").unwrap();
        self.namespace = self.marked().iter().filter_map(|pid| namespace(pid)).find(|found| *found != ours);
        assert!(self.namespace.is_some(), "the demo has no process namespace");
        child
    }

    /// Processes with its mark; some programs (sshd) overwrite theirs.
    fn marked(&self) -> Vec<String> {
        let has_mark = |pid: &String| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|&byte| byte == 0).any(|entry| entry == self.mark.as_bytes())
        };
        processes().into_iter().filter(has_mark).collect()
    }

    /// All its processes.
    fn processes(&self) -> Vec<String> {
        let marked = self.marked();
        let inside = |pid: &String| self.namespace.is_some() && namespace(pid) == self.namespace;
        processes().into_iter().filter(|pid| marked.contains(pid) || inside(pid)).collect()
    }

    /// Nothing of it is there any more; the kernel may need a moment to end what was killed.
    fn assert_no_trace(&self) {
        for _ in 0..100 {
            if self.processes().is_empty() {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(self.processes(), Vec::<String>::new(), "processes of the demo are left");
        for path in ["/run/demo", "/run/netns/client", "/run/netns/gateway", "/etc/netns/client"] {
            assert!(!Path::new(path).exists(), "{path} is left");
        }
    }
}

/// The numbers of all processes.
fn processes() -> Vec<String> {
    let names = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.parse::<u32>().is_ok()).collect()
}

/// The process namespace that a process lives in; none if it has ended.
fn namespace(pid: &str) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok()
}

#[test]
fn the_demo_goes_as_it_tells() {
    let mut demo = Demo::new("whole");
    let output = demo.command.output().unwrap();
    let told = said(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(!told.contains("NOT AS EXPECTED"), "{told}");
    for words in ["gitlab.com's key: right", "no-observation", "gitlab.com:22/ssh", "What to try next"] {
        assert!(told.contains(words), "{words:?} is missing in\n{told}");
    }
    assert!(!told.contains('\u{1b}'), "colours in a pipe: {told:?}");
    demo.assert_no_trace();
}

#[test]
fn the_demo_leaves_nothing_when_interrupted() {
    let mut demo = Demo::new("interrupted");
    let mut child = demo.until_it_says("decider status");
    // Three sshds, a resolver, decider and Envoy at least.
    assert!(demo.processes().len() > 6, "the demo does not run");
    killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    assert!(!child.wait().unwrap().success());
    demo.assert_no_trace();
}

#[test]
fn the_demo_leaves_nothing_when_killed() {
    let mut demo = Demo::new("killed");
    let mut child = demo.until_it_says("decider status");
    let outside = demo.marked().iter().map(|pid| pid.parse().unwrap()).min().unwrap();
    kill(Pid::from_raw(outside), Signal::SIGKILL).unwrap();
    assert!(!child.wait().unwrap().success());
    demo.assert_no_trace();
}

#[test]
fn the_demo_can_be_kept_open() {
    let mut demo = Demo::new("kept");
    let mut child = demo.command.env("DEMO_KEEP", "1").stdin(Stdio::piped()).spawn().unwrap();
    let mut prompt = child.stdin.take().unwrap();
    prompt.write_all(b"echo in $(ip -o -4 address show eth0)\ngateway ip -o link show lan0\ndecider rules\n").unwrap();
    drop(prompt);
    let output = child.wait_with_output().unwrap();
    let told = said(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let (_, kept) = told.split_once("You are on the client").unwrap();
    for words in ["10.77.1.2", "lan0", "gitlab.com"] {
        assert!(kept.contains(words), "{words:?} is missing in\n{kept}");
    }
    demo.assert_no_trace();
}
