use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::account::Account;
use super::admin::Admin;
use super::connected::Connected;
use super::directory::Directory;
use super::error::EnvoyError;
use super::layout::Layout;

/// A log of this size, in bytes, is put aside; one old one is kept. The directory may be in memory.
const LARGEST: u64 = 8 * 1024 * 1024;
/// How much of a log is read for the reason of an end, in bytes.
const TAIL: u64 = 8 * 1024;

/// Puts logs aside that have become too large. Connections that are still open are remembered beyond them.
pub async fn keep_small(directory: &Directory, admin: &Admin) {
    let layout = &directory.layout;
    let access = layout.access_log();
    if size(&access) > LARGEST {
        save_open_connections(directory).await;
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

/// What is open of the log that is thrown away next: the old one.
async fn save_open_connections(directory: &Directory) {
    let layout = directory.layout.clone();
    // Two logs are read whole.
    let Ok(open) = tokio::task::spawn_blocking(move || Connected::read(&layout).all()).await else { return };
    if let Err(error) = directory.replace(&directory.layout.open_connections(), &open) {
        tracing::warn!(%error, "connections that are open now may not be cut by a reload, but end a second later");
    }
}

/// Takes away what the next Envoy could not write to, or listen at: files of an Envoy that ran as somebody else.
///
/// # Errors
/// If something cannot be taken away.
pub fn make_way(layout: &Layout, account: Option<Account>) -> Result<(), EnvoyError> {
    let own = nix::unistd::geteuid().as_raw();
    let access = layout.access_log();
    if is_others(&access, account.map_or(own, |account| account.uid)) {
        std::fs::rename(&access, old(&access)).map_err(EnvoyError::system("put aside", &access))?;
    }
    // decider opens this one itself.
    let log = layout.log();
    if is_others(&log, own) {
        Directory::remove(&log)?;
    }
    Directory::remove(&layout.admin())
}

/// Whether there is something that is not a plain file of this user's.
fn is_others(path: &Path, uid: u32) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| !found.is_file() || found.uid() != uid)
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
    let old = old(path);
    // Whatever is there may be a link that Envoy's user made.
    if let Err(error) = std::fs::remove_file(&old)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&old)?;
    io::copy(&mut File::open(path)?, &mut copy)?;
    OpenOptions::new().write(true).open(path)?.set_len(0)
}

fn old(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_in_the_way_of_an_old_log_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let (log, victim) = (folder.path().join("envoy.log"), folder.path().join("victim"));
        std::fs::write(&log, "said").unwrap();
        std::fs::write(&victim, "untouched").unwrap();
        std::os::unix::fs::symlink(&victim, old(&log)).unwrap();
        empty(&log).unwrap();
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "untouched");
        assert_eq!(std::fs::read_to_string(old(&log)).unwrap(), "said");
        assert_eq!(size(&log), 0);
    }

    #[test]
    fn what_another_user_made_is_put_out_of_the_way() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "untouched").unwrap();
        for path in [layout.access_log(), layout.log(), layout.admin()] {
            std::os::unix::fs::symlink(&victim, path).unwrap();
        }
        make_way(&layout, None).unwrap();
        for path in [layout.access_log(), layout.log(), layout.admin()] {
            assert!(std::fs::symlink_metadata(&path).is_err(), "{} is still there", path.display());
        }
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "untouched");
    }
}
