use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::{Flock, FlockArg, OFlag};
use serde::Serialize;

use super::error::EnvoyError;
use super::files::Files;
use super::layout::Layout;

/// `envoy.config_dir`, held by one decider at a time.
#[derive(Debug)]
pub struct Directory {
    /// Where its files are.
    pub layout: Layout,
    /// Whether it was not there before.
    made: bool,
    #[expect(dead_code, reason = "it is held, not used")]
    lock: Flock<File>,
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
        if let Some(parent) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o755).create(parent).map_err(EnvoyError::system("make", parent))?;
        }
        let made = match DirBuilder::new().mode(mode).create(path) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(EnvoyError::system("make", path)(error)),
        };
        let mut directory = Self::lock(path)?;
        directory.made = made;
        Ok(directory)
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
        let refuse = |what| EnvoyError::Directory { path: path.to_owned(), what };
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
        let opened = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path);
        let directory = opened.map_err(|error| match std::fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => refuse("is a link"),
            Ok(found) if !found.is_dir() => refuse("is not a directory"),
            Ok(_) | Err(_) => EnvoyError::system("open", path)(error),
        })?;
        let found = directory.metadata().map_err(EnvoyError::system("look at", path))?;
        if found.uid() != nix::unistd::geteuid().as_raw() {
            return Err(refuse("belongs to another user"));
        }
        if found.mode() & 0o022 != 0 {
            return Err(refuse("can be written by others"));
        }
        let lock =
            Flock::lock(directory, FlockArg::LockExclusiveNonblock).map_err(|_| EnvoyError::Held(path.to_owned()))?;
        Ok(Self { layout: Layout::new(path), made: false, lock })
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

impl Drop for Directory {
    /// A start that has come to nothing leaves nothing: the directory goes if it was made for it and is still empty.
    fn drop(&mut self) {
        if self.made {
            // With files in it, it stays, and that is no error.
            let _ = std::fs::remove_dir(self.layout.directory());
        }
    }
}
