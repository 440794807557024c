use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::{Flock, FlockArg};
use serde::Serialize;

use super::error::EnvoyError;
use super::files::Files;
use super::layout::Layout;

/// `envoy.config_dir`, held by one decider at a time.
#[derive(Debug)]
pub struct Directory {
    /// Where its files are.
    pub layout: Layout,
    _lock: Flock<File>,
}

/// Who is to read in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// The Envoy that decider starts.
    Ours,
    /// An Envoy that somebody else starts, as whatever user.
    Anybody,
}

impl Directory {
    /// Makes the directory if needed and locks it until this is dropped.
    ///
    /// # Errors
    /// If it is a link, others can write there, another decider holds it, or the system refuses.
    pub fn open(path: &Path, readers: Readers) -> Result<Self, EnvoyError> {
        let mode = match readers {
            Readers::Ours => 0o700,
            Readers::Anybody => 0o755,
        };
        DirBuilder::new().recursive(true).mode(mode).create(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => EnvoyError::Directory { path: path.to_owned(), what: "is not a directory" },
            _ => EnvoyError::system("make", path)(error),
        })?;
        Self::lock(path)
    }

    /// Locks a directory that a decider left behind; none if there is no such directory.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn find(path: &Path) -> Result<Option<Self>, EnvoyError> {
        match std::fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(EnvoyError::system("look at", path)(error)),
            Ok(_) => Self::lock(path).map(Some),
        }
    }

    fn lock(path: &Path) -> Result<Self, EnvoyError> {
        let found = std::fs::symlink_metadata(path).map_err(EnvoyError::system("look at", path))?;
        let wrong = if found.is_symlink() {
            Some("is a link")
        } else if !found.is_dir() {
            Some("is not a directory")
        } else if found.uid() != nix::unistd::geteuid().as_raw() {
            Some("belongs to another user")
        } else if found.mode() & 0o022 != 0 {
            Some("can be written by others")
        } else {
            None
        };
        if let Some(what) = wrong {
            return Err(EnvoyError::Directory { path: path.to_owned(), what });
        }
        let layout = Layout::new(path);
        let lock_path = layout.lock();
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(EnvoyError::system("open", &lock_path))?;
        let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).map_err(|_| EnvoyError::Held(path.to_owned()))?;
        Ok(Self { layout, _lock: lock })
    }

    /// Whether Envoy can start with the same bootstrap again.
    pub fn has_bootstrap(&self, files: &Files) -> bool {
        let found = std::fs::read(self.layout.bootstrap()).unwrap_or_default();
        serde_json::from_slice::<serde_json::Value>(&found).is_ok_and(|found| found == files.bootstrap)
    }

    /// Writes all files, each all or nothing. Clusters come before the listeners that lead to them.
    ///
    /// # Errors
    /// The file that could not be written.
    pub fn write(&self, files: &Files) -> Result<(), EnvoyError> {
        self.replace(&self.layout.bootstrap(), &files.bootstrap)?;
        self.replace(&self.layout.cds(), &files.cds)?;
        self.replace(&self.layout.lds(), &files.lds)
    }

    /// Renames a new file over an old one: Envoy hears of it, and nobody ever reads half a file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn replace(&self, path: &Path, content: &impl Serialize) -> Result<(), EnvoyError> {
        let write = || -> io::Result<()> {
            let mut file = tempfile::Builder::new()
                .prefix(".new-")
                .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
                .tempfile_in(self.layout.directory())?;
            serde_json::to_writer_pretty(&mut file, content)?;
            file.flush()?;
            file.persist(path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(EnvoyError::system("write", path))
    }

    /// Removes a file that may be missing.
    ///
    /// # Errors
    /// If it is there and cannot be removed.
    pub fn remove(path: &Path) -> Result<(), EnvoyError> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(EnvoyError::system("remove", path)(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
