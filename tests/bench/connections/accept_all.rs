//! Programs that accept every packet of queue 7.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::{Gateway, Process, eventually};

/// The word by which this program is one of them; the number of the queue follows.
pub const WORD: &str = "accept-all";

/// Starts the one in C, by `libnetfilter_queue`.
pub fn in_c(gateway: &Gateway) -> Process {
    serve(gateway, &mut Command::new(built(gateway.directory.path())))
}

/// Starts this program, which serves a queue by the `nfq` crate then.
pub fn by_nfq(gateway: &Gateway) -> Process {
    serve(gateway, Command::new(std::env::current_exe().unwrap()).arg(WORD))
}

fn serve(gateway: &Gateway, command: &mut Command) -> Process {
    let process = Process::start(&gateway.namespace, command.arg("7"), &gateway.path("accept"));
    eventually("a program that accepts everything", || process.log().contains("ready").then_some(()));
    process
}

fn built(folder: &Path) -> PathBuf {
    let program = folder.join("accept-all");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/connections/accept.c");
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-Wall", "-Wextra", "-o"]).arg(&program).arg(source).arg("-lnetfilter_queue");
    assert!(cc.status().unwrap().success(), "`tests/setup bench` installs what this needs");
    program
}

/// What this program does when it is called by the word: it never returns.
pub fn run(number: u16) -> ! {
    let mut queue = nfq::Queue::open().unwrap();
    queue.bind(number).unwrap();
    queue.set_copy_range(number, 128).unwrap();
    queue.set_queue_max_len(number, 16_384).unwrap();
    println!("ready");
    loop {
        let mut held = queue.recv().unwrap();
        held.set_verdict(nfq::Verdict::Accept);
        queue.verdict(held).unwrap();
    }
}
