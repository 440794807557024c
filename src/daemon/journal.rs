use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::clock;
use crate::dns::journal::{self, Header, MAX_LINE, Reader, Saved};
use crate::dns::{Belief, Observations, Record};
use crate::model::Moment;
use crate::policy::Policy;
use crate::queue::{Knowledge, Shared};

use super::state_dir::{self, StateError};

/// Lines that may be superseded before the file is written anew, beside as many as there are observations.
const SLACK: usize = 100_000;
/// How soon writing is tried again after a failure (a full disk).
const RETRY: Duration = Duration::from_secs(1);
/// How often what was written is made safe from a loss of power.
const SYNC: Duration = Duration::from_secs(5);
/// How far the wall clock may be set before the file is told: times are carried over a reboot by it.
const DRIFT: Duration = Duration::from_secs(1);

/// Saves observations, so that a restart forgets nothing: a line each, appended as it is learned.
pub struct Journal {
    path: PathBuf,
    file: BufWriter<File>,
    header: Header,
    lines: usize,
    /// Observations that had been lost on their way here when the file was written anew.
    lost: u64,
    /// When it was last made safe; there may be nothing to be made safe since.
    synced: Moment,
    is_synced: bool,
}

impl Journal {
    /// Takes over what an earlier run saved, writes the file anew, and starts the thread that appends to it. Of what has
    /// expired, only what is about the addresses in `in_use` is taken over: connections may hold it. The flag says
    /// whether saving works.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn start(
        path: &Path,
        shared: Arc<Shared>,
        new: Receiver<Record>,
        in_use: &HashSet<IpAddr>,
    ) -> Result<Arc<AtomicBool>, StateError> {
        restore(path, &shared, in_use)?;
        let journal = Self::with_all(path, &shared).map_err(failed("write", path))?;
        let works = Arc::new(AtomicBool::new(true));
        let flag = Arc::clone(&works);
        thread::Builder::new()
            .name("journal".into())
            .spawn(move || journal.run(&shared, &new, &flag))
            .map_err(failed("start a thread for", path))?;
        Ok(works)
    }

    fn run(mut self, shared: &Shared, new: &Receiver<Record>, works: &AtomicBool) {
        loop {
            let result = match new.recv_timeout(SYNC) {
                Ok(record) => self.take(&record, new, shared),
                Err(RecvTimeoutError::Timeout) => self.sync_if_due(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if let Err(error) = result {
                tracing::error!(%error, path = %self.path.display(), "observations cannot be saved: trying again");
                works.store(false, Ordering::Relaxed);
                self.recover(shared);
                works.store(true, Ordering::Relaxed);
                tracing::warn!("observations are saved again");
            }
        }
    }

    /// Writes an observation and all that wait behind it.
    fn take(&mut self, record: &Record, new: &Receiver<Record>, shared: &Shared) -> io::Result<()> {
        self.follow_clock()?;
        self.append(record)?;
        new.try_iter().try_for_each(|record| self.append(&record))?;
        self.file.flush()?;
        self.is_synced = false;
        self.rewrite_if_due(shared)?;
        self.sync_if_due()
    }

    fn sync_if_due(&mut self) -> io::Result<()> {
        let now = clock::now();
        if !self.is_synced && now.since(self.synced) >= SYNC {
            self.file.get_ref().sync_data()?;
            (self.synced, self.is_synced) = (now, true);
        }
        Ok(())
    }

    /// Tries until the whole of what is known could be written: that includes what was lost meanwhile.
    fn recover(&mut self, shared: &Shared) {
        loop {
            thread::sleep(RETRY);
            if let Ok(anew) = Self::with_all(&self.path, shared) {
                *self = anew;
                return;
            }
        }
    }

    /// Writes the header again if the wall clock was set since: a machine without a clock of its own begins in 1970.
    fn follow_clock(&mut self) -> io::Result<()> {
        let present = self.header.at(since_epoch(), clock::now());
        if present.drift(&self.header) > DRIFT {
            write_line(&mut self.file, &journal::encode_header(&present))?;
            self.header = present;
        }
        Ok(())
    }

    fn append(&mut self, record: &Record) -> io::Result<()> {
        self.lines += 1;
        write_line(&mut self.file, &journal::encode(record))
    }

    /// Writes the file anew if most of its lines are superseded, or some observation never got here.
    fn rewrite_if_due(&mut self, shared: &Shared) -> io::Result<()> {
        let known: usize = shared.knowledge.parts().map(|part| part.len()).sum();
        let is_long = self.lines > known.saturating_mul(2).saturating_add(SLACK);
        if is_long || self.lost != shared.counters.lost_journal.value() {
            *self = Self::with_all(&self.path, shared)?;
        }
        Ok(())
    }

    /// The file with all that is known, what was lost on its way here included.
    fn with_all(path: &Path, shared: &Shared) -> io::Result<Self> {
        // Asked first: what is lost from here on is due again.
        let lost = shared.counters.lost_journal.value();
        Self::rewrite(path, &shared.knowledge, lost)
    }

    /// Writes all that is known into a new file and puts it in the place of the old one.
    fn rewrite(path: &Path, knowledge: &Knowledge, lost: u64) -> io::Result<Self> {
        let next = path.with_extension("new");
        let mut file = BufWriter::new(create(&next)?);
        let header = header()?;
        write_line(&mut file, &journal::encode_header(&header))?;
        let mut lines = 0;
        for part in knowledge.parts() {
            let records: Vec<Record> = part.iter().collect();
            // No worker waits for the disk.
            drop(part);
            lines += records.len();
            records.iter().try_for_each(|record| write_line(&mut file, &journal::encode(record)))?;
        }
        file.flush()?;
        // In this order: the name must not lead to a file whose content a loss of power takes away.
        file.get_ref().sync_all()?;
        fs::rename(&next, path)?;
        Ok(Self { path: path.to_owned(), file, header, lines, lost, synced: clock::now(), is_synced: true })
    }
}

/// A new file that is this user's alone, whatever was there by that name.
fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)
}

fn write_line(file: &mut impl Write, line: &str) -> io::Result<()> {
    writeln!(file, "{line}")
}

/// The clocks of this boot.
fn header() -> io::Result<Header> {
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    Ok(Header::new(boot_id.trim(), since_epoch(), clock::now()))
}

/// The wall clock.
fn since_epoch() -> Duration {
    clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn restore(path: &Path, shared: &Shared, in_use: &HashSet<IpAddr>) -> Result<(), StateError> {
    let now = clock::now();
    let Saved { records, expired, damaged, undated } = read(path)?;
    if damaged > 0 || undated > 0 {
        tracing::warn!(damaged, undated, path = %path.display(), "lines of the journal were skipped");
    }
    let published = shared.published.load();
    let held = expired.into_iter().filter(|record| in_use.contains(&record.addr));
    for record in held.chain(records) {
        let belief = shared.belief(record.addr);
        take_over(&mut shared.knowledge.about(record.addr), &published.policy, record, belief, now);
    }
    Ok(())
}

/// Takes over what an earlier run learned: rules may mention other names by now.
pub fn take_over(observations: &mut Observations, policy: &Policy, record: Record, belief: Belief, now: Moment) {
    if policy.mentions(&record.name) {
        observations.restore(record, belief, now);
    } else {
        observations.restore_note(record, belief, now);
    }
}

/// What a journal holds that still counts, in the clock of this boot; nothing if there is no file.
///
/// # Errors
/// If it is there and cannot be read.
pub fn read(path: &Path) -> Result<Saved, StateError> {
    let Some(file) = state_dir::open(path)? else { return Ok(Saved::default()) };
    let present = header().map_err(failed("read the boot id for", path))?;
    Ok(read_lines(BufReader::new(file)).map_err(failed("read", path))?.finish(&present, clock::now()))
}

fn read_lines(mut file: impl BufRead) -> io::Result<Reader> {
    let mut reader = Reader::new();
    let mut line = Vec::new();
    // What is longer than a line is taken in by pieces, each of which counts as damaged.
    let longest = u64::try_from(MAX_LINE).unwrap_or(u64::MAX).saturating_add(1);
    while (&mut file).take(longest).read_until(b'\n', &mut line)? > 0 {
        reader.take(&line);
        line.clear();
    }
    Ok(reader)
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    move |source| StateError::System { operation, path, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::dns::Limits;
    use crate::model::{ClientId, DomainName};

    fn knowledge() -> Knowledge {
        let hour = Duration::from_secs(3_600);
        Knowledge::new(Limits::new(1_000, hour, hour, hour))
    }

    /// Lets a client be told of 50 addresses, of both families.
    fn learn(knowledge: &Knowledge) {
        let client = ClientId([10, 77, 1, 2].into());
        for n in 0..50_u8 {
            let addr = if n % 2 == 0 { [192, 0, 2, n].into() } else { [0x2001, 0xdb8, 0, 0, 0, 0, 0, n.into()].into() };
            let name = DomainName::parse("github.com").unwrap();
            knowledge.about(addr).learn(clock::now(), client, addr, name, Duration::from_secs(60), Belief::Believed);
        }
    }

    fn known(knowledge: &Knowledge) -> Vec<Record> {
        let mut records: Vec<Record> = knowledge.parts().flat_map(|part| part.iter().collect::<Vec<_>>()).collect();
        records.sort_by_key(|record| record.addr);
        records
    }

    #[test]
    fn what_was_written_is_read_whatever_was_left_half_done() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("observations.journal");
        assert_eq!(read(&path).unwrap(), Saved::default());
        let knowledge = knowledge();
        learn(&knowledge);
        let mut journal = Journal::rewrite(&path, &knowledge, 0).unwrap();
        assert_eq!(journal.lines, 50);
        journal.file.write_all(&vec![b'x'; 10_000]).unwrap();
        journal.file.write_all(b"\n").unwrap();
        let again = known(&knowledge).pop().unwrap();
        journal.append(&again).unwrap();
        journal.file.write_all(b"half a li").unwrap();
        journal.file.flush().unwrap();

        let mut saved = read(&path).unwrap();
        assert!(saved.damaged > 1 && saved.undated == 0);
        assert_eq!(saved.records.len(), 51);
        saved.records.iter_mut().for_each(|record| record.belief = Belief::Believed);
        saved.records.sort_by_key(|record| record.addr);
        saved.records.dedup();
        assert_eq!(saved.records, known(&knowledge));
    }

    #[test]
    fn what_others_could_have_written_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("observations.journal");
        let elsewhere = folder.path().join("elsewhere");
        Journal::rewrite(&elsewhere, &knowledge(), 0).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert!(read(&path).is_err(), "a link");
        // A rewrite replaces the link, not what it points to.
        let before = fs::read(&elsewhere).unwrap();
        Journal::rewrite(&path, &knowledge(), 0).unwrap();
        assert_eq!(fs::read(&elsewhere).unwrap(), before);
        assert!(read(&path).is_ok());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o620, 0o602] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(read(&path), Err(StateError::Owner { .. })), "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::chown(&path, Some(12_345), None).unwrap();
        assert!(matches!(read(&path), Err(StateError::Owner { owner: 12_345, .. })));
        fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(matches!(read(&path), Err(StateError::Owner { .. })), "a pipe");
    }

    #[test]
    fn a_clock_that_stays_as_it_is_adds_no_header() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("observations.journal");
        let mut journal = Journal::rewrite(&path, &knowledge(), 0).unwrap();
        journal.follow_clock().unwrap();
        journal.header = Header::new("another", Duration::ZERO, clock::now());
        journal.follow_clock().unwrap();
        journal.follow_clock().unwrap();
        journal.file.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    }
}
