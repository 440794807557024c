use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use nix::unistd::Gid;

use crate::control::EventFileStatus;
use crate::policy::EventFile;
use crate::record::{Export, ExportState, RecorderHandle, Rotation};

/// Where events are written, and what becomes of them.
pub struct EventWriter {
    path: PathBuf,
    state: Arc<ExportState>,
}

impl EventWriter {
    /// Starts to write all events from now on, if the policy says where.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(
        wanted: Option<&EventFile>,
        recorder: &RecorderHandle,
        group: Option<Gid>,
    ) -> io::Result<Option<Self>> {
        let Some(EventFile { path, size, keep }) = wanted else { return Ok(None) };
        let group = group.map(Gid::as_raw);
        let rotation = Rotation { path: path.clone(), size: *size, keep: *keep, group };
        let (_, coming) = recorder.follow(0);
        Ok(Some(Self { path: path.clone(), state: Export::start(coming, rotation)? }))
    }

    /// For `status`.
    #[must_use]
    pub fn status(&self) -> EventFileStatus {
        EventFileStatus {
            path: self.path.display().to_string(),
            written: self.state.written.value(),
            lost: self.state.lost.value(),
            failure: self.state.failure(),
        }
    }

    /// What is wrong, if anything is.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let failure = self.state.failure()?;
        Some(format!("events are not written to {}, and lost for it: {failure}", self.path.display()))
    }
}
