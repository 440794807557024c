use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use nix::fcntl::{Flock, FlockArg, OFlag};
use serde::Serialize;

use super::account::Account;
use super::error::EnvoyError;
use super::files::Files;
use super::layout::Layout;
use super::meaning::{Listener, listeners_in};
use crate::policy::EnvoySpec;

/// `envoy.config_dir`, held by one decider at a time.
#[derive(Debug)]
pub struct Directory {
    /// Where its files are.
    pub layout: Layout,
    /// Whether it was not there before.
    made: bool,
    lock: Flock<File>,
}

/// Who is to read in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// The Envoy that decider starts.
    Ours,
    /// An Envoy of another user, whoever starts it, which makes files of its own beside decider's: its logs and its socket.
    User(Account),
    /// An Envoy that somebody else starts, as a user that the policy does not name.
    Anybody,
}

impl Directory {
    /// Makes the directory if needed and locks it until this is dropped.
    ///
    /// # Errors
    /// If it is a link, others can write there, another decider holds it, or the system refuses.
    pub fn open(path: &Path, readers: Readers) -> Result<Self, EnvoyError> {
        let made = match readers {
            // Of a user it is made only once it is locked.
            Readers::Ours | Readers::User(_) => make(path, 0o700),
            Readers::Anybody => make(path, 0o755),
        }?;
        let mut directory = Self::lock(path)?;
        directory.made = made;
        directory.open_to(readers).map_err(EnvoyError::system("set the mode of", path))?;
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
        // Where the sticky bit is, Envoy's user can take no file away that is not its own.
        let is_shared = found.mode() & 0o1022 == 0o1020;
        if found.mode() & 0o022 != 0 && !is_shared {
            return Err(refuse("can be written by others"));
        }
        let lock =
            Flock::lock(directory, FlockArg::LockExclusiveNonblock).map_err(|_| EnvoyError::Held(path.to_owned()))?;
        Ok(Self { layout: Layout::new(path), made: false, lock })
    }

    /// Gives Envoy's user its part in the directory, or takes it away again. Others have none in either.
    fn open_to(&self, readers: Readers) -> io::Result<()> {
        let is_shared = self.lock.metadata()?.mode() & 0o020 != 0;
        let (group, mode) = match readers {
            Readers::User(account) => (account.gid, 0o1770),
            Readers::Ours if is_shared => (nix::unistd::getegid().as_raw(), 0o700),
            Readers::Anybody if is_shared => (nix::unistd::getegid().as_raw(), 0o755),
            Readers::Ours | Readers::Anybody => return Ok(()),
        };
        fchown(&*self.lock, None, Some(group))?;
        self.lock.set_permissions(Permissions::from_mode(mode))
    }

    /// Whether Envoy can start with the same bootstrap again.
    pub fn has_bootstrap(&self, files: &Files) -> bool {
        let found = read_own(&self.layout.bootstrap()).unwrap_or_default();
        serde_json::from_slice::<serde_json::Value>(&found).is_ok_and(|found| found == files.bootstrap)
    }

    /// Writes all files, each all or nothing. Clusters come before the listeners that lead to them.
    ///
    /// # Errors
    /// The file that could not be written.
    pub fn write(&self, files: &Files) -> Result<(), EnvoyError> {
        self.replace(&self.layout.bootstrap(), &files.bootstrap)?;
        self.write_resources(files)
    }

    /// The listeners that the present file has; none if there is no such file.
    pub fn listeners(&self) -> BTreeMap<String, Listener> {
        let found = std::fs::read(self.layout.lds()).unwrap_or_default();
        listeners_in(&found)
    }

    /// Writes what Envoy reads again while it runs.
    ///
    /// # Errors
    /// The file that could not be written.
    pub fn write_resources(&self, files: &Files) -> Result<(), EnvoyError> {
        self.replace(&self.layout.cds(), &files.cds.to_write())?;
        self.replace(&self.layout.lds(), &files.lds.to_write())
    }

    /// Renames a new file over an old one: Envoy hears of it, and nobody ever reads half a file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn replace(&self, path: &Path, content: &impl Serialize) -> Result<(), EnvoyError> {
        let write = || -> io::Result<()> {
            let mut file = tempfile::Builder::new()
                .prefix(".new-")
                .permissions(Permissions::from_mode(0o644))
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

/// Makes the directory of a policy's Envoy, if there is none yet.
///
/// # Errors
/// If the system refuses.
pub fn make_directory(spec: &EnvoySpec) -> Result<(), EnvoyError> {
    make(&spec.config_dir, if spec.manage { 0o700 } else { 0o755 }).map(drop)
}

/// Says whether it was not there before.
fn make(path: &Path, mode: u32) -> Result<bool, EnvoyError> {
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(parent).map_err(EnvoyError::system("make", parent))?;
    }
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(EnvoyError::system("make", path)(error)),
    }
}

/// Reads a file of decider's own; none if it is missing, or of somebody else's making: Envoy's user can write there too.
pub fn read_own(path: &Path) -> Option<Vec<u8>> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let mut file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path).ok()?;
    let found = file.metadata().ok()?;
    let is_ours = found.is_file() && found.uid() == nix::unistd::geteuid().as_raw();
    let mut content = Vec::new();
    is_ours.then_some(())?;
    file.read_to_end(&mut content).ok()?;
    Some(content)
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
