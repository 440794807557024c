use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg, OFlag};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::policy::SlotTable;
use crate::policy::temporary::Saved;

const LOCK: &str = "lock";
const SLOTS: &str = "slots.json";
const LAST_RUN: &str = "last-run.json";
const TEMPORARY: &str = "temporary.json";

/// The directory of what must outlive a restart. Held by one decider at a time.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: Flock<File>,
}

/// Why the state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another decider has it.
    #[error("another decider holds {0}: stop it, or use another --state-dir")]
    Held(PathBuf),
    /// Others could have written there.
    #[error(
        "{path} belongs to user {owner}, can be written by others, or is not what it should be: what is there is not \
         believed unless it is root's alone (`chown root`, `chmod go-w`)"
    )]
    Owner {
        /// The directory or file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// A file does not hold what it should.
    #[error("{path} cannot be understood ({reason}): move it away; without slots.json, rules get new marks and ports")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The system refused.
    #[error("cannot {operation} {path}: {source}")]
    System {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl StateDir {
    /// Makes the directory if needed (mode 0700) and locks it until this is dropped.
    ///
    /// # Errors
    /// If another decider holds it, it is not this user's alone, or the system refuses.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        make(path)?;
        let found = std::fs::symlink_metadata(path).map_err(system("look at", path))?;
        ours_alone(path, &found, found.is_dir())?;
        let lock_path = path.join(LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(system("open", &lock_path))?;
        let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).map_err(|_| StateError::Held(path.to_owned()))?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Whether a decider holds a state directory now. Nothing is made, and nothing is changed.
    #[must_use]
    pub fn is_held(path: &Path) -> bool {
        let lock = OpenOptions::new().write(true).open(path.join(LOCK));
        lock.is_ok_and(|lock| Flock::lock(lock, FlockArg::LockExclusiveNonblock).is_err())
    }

    /// Where the observations are saved.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path.join("observations.journal")
    }

    /// The slots of the last run; none yet if there was no run.
    ///
    /// # Errors
    /// If the file cannot be read or understood.
    pub fn load_slots(&self) -> Result<SlotTable, StateError> {
        load_slots(&self.path)
    }

    /// Saves the slots, all or nothing.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_slots(&self, slots: &SlotTable) -> Result<(), StateError> {
        self.save(SLOTS, slots)
    }

    /// The temporary rules of the last run; none if none were ever saved.
    ///
    /// # Errors
    /// If the file cannot be read or understood.
    pub fn load_temporary(&self) -> Result<Option<Saved>, StateError> {
        load(&self.path, TEMPORARY)
    }

    /// Saves the temporary rules, all or nothing.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_temporary(&self, rules: &Saved) -> Result<(), StateError> {
        self.save(TEMPORARY, rules)
    }

    /// Saves where this run keeps what it leaves outside the kernel, all or nothing.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_last_run(&self, run: &LastRun) -> Result<(), StateError> {
        self.save(LAST_RUN, run)
    }

    fn save(&self, name: &str, content: &impl Serialize) -> Result<(), StateError> {
        let path = self.path.join(name);
        let failed = system("write", &path);
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&self.path)?;
            serde_json::to_writer_pretty(&mut file, content)?;
            file.flush()?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(failed)
    }
}

/// Makes a state directory, if there is none yet.
///
/// # Errors
/// If the system refuses.
pub fn make(path: &Path) -> Result<(), StateError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(system("make", path))
}

/// Where a run keeps what it leaves outside the kernel, for whoever cleans up after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// The directory of Envoy's files.
    pub envoy_dir: PathBuf,
}

/// The slots saved in a state directory that somebody else may hold.
///
/// # Errors
/// If the file cannot be read or understood.
pub fn load_slots(directory: &Path) -> Result<SlotTable, StateError> {
    load(directory, SLOTS).map(Option::unwrap_or_default)
}

/// What the last run with a state directory said of itself; none if there was no run.
///
/// # Errors
/// If the file cannot be read or understood.
pub fn load_last_run(directory: &Path) -> Result<Option<LastRun>, StateError> {
    load(directory, LAST_RUN)
}

fn load<T: DeserializeOwned>(directory: &Path, name: &str) -> Result<Option<T>, StateError> {
    let path = directory.join(name);
    let Some(file) = open(&path)? else { return Ok(None) };
    let text = io::read_to_string(file).map_err(system("read", &path))?;
    let damaged = |error: serde_json::Error| StateError::Damaged { path: path.clone(), reason: error.to_string() };
    serde_json::from_str(&text).map(Some).map_err(damaged)
}

/// Opens a file of the state directory to read it; none if there is none.
///
/// # Errors
/// If it is not this user's alone, not a plain file, or the system refuses.
pub fn open(path: &Path) -> Result<Option<File>, StateError> {
    // Neither another's file by way of a link nor a pipe that nobody writes to.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let file = match OpenOptions::new().read(true).custom_flags(flags.bits()).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(system("read", path)(error)),
    };
    let found = file.metadata().map_err(system("look at", path))?;
    ours_alone(path, &found, found.is_file())?;
    Ok(Some(file))
}

fn ours_alone(path: &Path, found: &Metadata, is_right_kind: bool) -> Result<(), StateError> {
    if found.uid() == nix::unistd::geteuid().as_raw() && found.mode() & 0o022 == 0 && is_right_kind {
        Ok(())
    } else {
        Err(StateError::Owner { path: path.to_owned(), owner: found.uid() })
    }
}

fn system(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    move |source| StateError::System { operation, path, source }
}
