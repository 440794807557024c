use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::admin::Admin;
use super::layout::Layout;

/// A log of this size, in bytes, is put aside; one old one is kept. The directory may be in memory.
const LARGEST: u64 = 8 * 1024 * 1024;
/// How much of a log is read for the reason of an end, in bytes.
const TAIL: u64 = 8 * 1024;

/// Puts logs aside that have become too large.
pub async fn keep_small(layout: &Layout, admin: &Admin) {
    let access = layout.access_log();
    if size(&access) > LARGEST {
        let moved = std::fs::rename(&access, old(&access));
        // Until Envoy has opened a new one, it writes on in the old one.
        if let (Err(error), _) | (Ok(()), Err(error)) = (moved, admin.reopen_logs().await) {
            tracing::warn!(%error, file = %access.display(), "a log has become too large and cannot be put aside");
        }
    }
    let log = layout.log();
    if size(&log) > LARGEST
        && let Err(error) = empty(&log)
    {
        tracing::warn!(%error, file = %log.display(), "a log has become too large and cannot be put aside");
    }
}

/// The last complaint in what was written to a log from `from` on.
pub fn last_complaint(log: &Path, from: u64) -> Option<String> {
    let mut file = File::open(log).ok()?;
    let end = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(from.max(end.saturating_sub(TAIL)))).ok()?;
    let mut text = Vec::new();
    file.take(TAIL).read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let loud = lines().rfind(|line| line.contains("[critical]") || line.contains("[error]"));
    loud.or_else(|| lines().next_back()).map(|line| line.chars().take(400).collect())
}

/// How long a file is; 0 if there is none.
pub fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |found| found.len())
}

/// Keeps a copy and empties the file: who appends to it goes on at its beginning.
fn empty(path: &Path) -> io::Result<()> {
    std::fs::copy(path, old(path))?;
    OpenOptions::new().write(true).open(path)?.set_len(0)
}

fn old(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}
