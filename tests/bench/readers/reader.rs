use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

/// How long nothing has to come before a reader has all there is.
const QUIET: Duration = Duration::from_millis(500);

/// What a reader was told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// Decisions, where one event may stand for several.
    pub decisions: u64,
    /// Events that it was told it had missed.
    pub missed: u64,
}

/// Follows the events by the control socket.
pub struct Reader {
    stream: UnixStream,
    thread: JoinHandle<Told>,
    /// Whatever is sent there lets a reader that stands still go on.
    go_on: Sender<()>,
}

impl Reader {
    /// One that reads, or one that waits until it has to end before it reads anything.
    pub fn start(socket: &Path, reads: bool) -> Self {
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.write_all(b"{\"v\":1,\"request\":\"events\",\"last\":0,\"follow\":true}\n").unwrap();
        let (go_on, waits) = channel();
        if reads {
            go_on.send(()).unwrap();
        }
        let own = stream.try_clone().unwrap();
        Self { stream, thread: std::thread::spawn(move || read(own, &waits)), go_on }
    }

    /// What it was told, once nothing more comes.
    pub fn end(self) -> Told {
        let _ = self.go_on.send(());
        let told = self.thread.join().unwrap();
        let _ = self.stream.shutdown(Shutdown::Both);
        told
    }
}

/// All lines, without a look into them while they come: that would take the time of what is measured.
fn read(mut stream: UnixStream, waits: &Receiver<()>) -> Told {
    let _ = waits.recv();
    let (mut bytes, mut block) = (Vec::new(), vec![0; 256 * 1024]);
    let mut has_begun = false;
    loop {
        // Nothing comes before the load; then whatever comes comes at once.
        stream.set_read_timeout(Some(if has_begun { QUIET } else { QUIET * 20 })).unwrap();
        match stream.read(&mut block) {
            Ok(0) | Err(_) => break,
            Ok(length) => bytes.extend_from_slice(&block[..length]),
        }
        has_begun = true;
    }
    bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).fold(Told::default(), |told, line| {
        let line: Value = serde_json::from_slice(line).unwrap();
        let missed = line["gap"].as_u64().unwrap_or(0);
        let decisions = if line["gap"].is_null() { line["repeated"].as_u64().unwrap_or(1) } else { 0 };
        Told { decisions: told.decisions + decisions, missed: told.missed + missed }
    })
}
