use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::rotating_file::{RotatingFile, Rotation};
use super::{Count, Event, Follower};

/// Bytes that are written at a time, at most and about: less than a file may have.
const BATCH: usize = 32 * 1024;
/// How soon writing is tried again after a failure (a full disk).
const RETRY: Duration = Duration::from_millis(500);

/// What became of the events that were to be written.
#[derive(Debug, Default)]
pub struct ExportState {
    /// Events that were written.
    pub written: Count,
    /// Events that could not be written, or came faster than they could.
    pub lost: Count,
    failure: Mutex<Option<String>>,
}

impl ExportState {
    /// Why nothing can be written now, if so.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_failure(&self, failure: Option<String>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

/// Writes events to a file, in a thread of its own that nobody waits for. What it misses is counted, and told in the file as
/// the streams tell it: `{"gap": n}`.
pub struct Export {
    follower: Follower,
    rotation: Rotation,
    file: Option<RotatingFile>,
    state: Arc<ExportState>,
    batch: Batch,
}

/// Lines that are to be written.
#[derive(Default)]
struct Batch {
    lines: Vec<u8>,
    events: u64,
    /// Events that came too fast.
    gaps: u64,
    /// Events of before that were not written.
    missed: u64,
}

impl Export {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system gives no thread. A file that cannot be written is tried again and again.
    pub fn start(follower: Follower, rotation: Rotation) -> io::Result<Arc<ExportState>> {
        let state = Arc::<ExportState>::default();
        let export = Self { follower, rotation, file: None, state: Arc::clone(&state), batch: Batch::default() };
        thread::Builder::new().name("event-file".into()).spawn(move || export.run())?;
        Ok(state)
    }

    /// Ends when no event can come any more.
    fn run(mut self) {
        // A place that cannot be written is told at the start, not with the first event.
        self.write();
        while self.gather() {
            self.write();
        }
    }

    /// Waits for events and takes those that are there; says whether more can come.
    fn gather(&mut self) -> bool {
        let first = if self.state.failure().is_some() {
            thread::sleep(RETRY);
            self.follower.try_recv()
        } else {
            self.follower.blocking_recv().map_err(|error| match error {
                RecvError::Closed => TryRecvError::Closed,
                RecvError::Lagged(missed) => TryRecvError::Lagged(missed),
            })
        };
        let mut next = first;
        loop {
            match next {
                Ok(event) => self.batch.add(&event),
                Err(TryRecvError::Lagged(missed)) => {
                    self.state.lost.add(missed);
                    self.batch.add_gap(missed);
                }
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Closed) => return false,
            }
            if self.batch.lines.len() >= BATCH {
                return true;
            }
            next = self.follower.try_recv();
        }
    }

    /// Writes what was gathered. What cannot be written is lost, and the gap is told once something can.
    fn write(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        let events = batch.events;
        match self.append(&batch.text()) {
            Ok(()) => {
                self.state.written.add(events);
                if self.state.failure().is_some() {
                    self.state.set_failure(None);
                    let (path, lost) = (self.rotation.path.display(), batch.missed);
                    tracing::warn!(%path, lost, "events are written to their file again");
                }
            }
            Err(error) => {
                self.state.lost.add(events);
                self.batch.missed = batch.missed.saturating_add(events).saturating_add(batch.gaps);
                if self.state.failure().is_none() {
                    let path = self.rotation.path.display();
                    tracing::error!(%error, %path, "events cannot be written to their file: they are counted as lost");
                }
                self.state.set_failure(Some(error.to_string()));
            }
        }
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(RotatingFile::open(self.rotation.clone())?),
        };
        file.append(lines)
    }
}

impl Batch {
    fn add(&mut self, event: &Event) {
        // An event has string keys and finite numbers only, so this cannot fail.
        self.lines.append(&mut serde_json::to_vec(event).unwrap_or_default());
        self.lines.push(b'\n');
        self.events += 1;
    }

    fn add_gap(&mut self, missed: u64) {
        self.lines.extend_from_slice(gap(missed).as_bytes());
        self.gaps = self.gaps.saturating_add(missed);
    }

    fn text(&self) -> Vec<u8> {
        if self.missed == 0 { self.lines.clone() } else { [gap(self.missed).as_bytes(), &self.lines].concat() }
    }
}

fn gap(missed: u64) -> String {
    format!("{{\"gap\":{missed}}}\n")
}
