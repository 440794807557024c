use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::libc::{O_NOFOLLOW, O_NONBLOCK};

/// A file of lines that is written to, and how much of it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The file; older ones stand beside it, with `.1` and so on behind.
    pub path: PathBuf,
    /// Bytes after which another one is begun.
    pub size: u64,
    /// Older files that are kept; at least one.
    pub keep: u32,
    /// The group that may read it, beside root.
    pub group: Option<u32>,
}

/// The file that is open now.
pub struct RotatingFile {
    rotation: Rotation,
    file: File,
    length: u64,
}

impl RotatingFile {
    /// Goes on with the file that is there, or begins one (mode 0640). Half a line at its end gets an end.
    ///
    /// # Errors
    /// If it is no plain file, or the system refuses.
    pub fn open(rotation: Rotation) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .mode(0o640)
            .custom_flags(O_NOFOLLOW | O_NONBLOCK)
            .open(&rotation.path)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file"));
        }
        fchown(&file, None, rotation.group)?;
        if found.len() > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        let length = file.metadata()?.len();
        Ok(Self { rotation, file, length })
    }

    /// Appends lines, all or none. Another file is begun first where they have no room, and where somebody has moved this one
    /// away.
    ///
    /// # Errors
    /// What the system says, such as that the disk is full.
    pub fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if !self.is_in_place()? {
            *self = Self::open(self.rotation.clone())?;
        }
        let added = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        if self.length > 0 && self.length.saturating_add(added) > self.rotation.size {
            self.rotate()?;
        }
        if let Err(error) = self.file.write_all(lines) {
            // Readers see whole lines only. Where even that fails, the next start gives the half one an end.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += added;
        Ok(())
    }

    fn is_in_place(&self) -> io::Result<bool> {
        let open = self.file.metadata()?;
        match fs::symlink_metadata(&self.rotation.path) {
            Ok(named) => Ok((named.dev(), named.ino()) == (open.dev(), open.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn rotate(&mut self) -> io::Result<()> {
        let path = &self.rotation.path;
        for number in (1..self.rotation.keep).rev() {
            rename(&older(path, number), &older(path, number + 1))?;
        }
        rename(path, &older(path, 1))?;
        *self = Self::open(self.rotation.clone())?;
        Ok(())
    }
}

/// What is not there cannot be moved, and need not be.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        moved => moved,
    }
}

fn older(path: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotation(folder: &Path) -> Rotation {
        Rotation { path: folder.join("e.jsonl"), size: 10, keep: 2, group: None }
    }

    fn texts(folder: &Path) -> Vec<(String, String)> {
        let mut found: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
            .collect();
        found.sort();
        found
    }

    fn named(files: &[(&str, &str)]) -> Vec<(String, String)> {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn no_file_is_larger_than_it_may_and_no_more_are_kept_than_should() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatingFile::open(rotation(folder.path())).unwrap();
        for line in [b"aaaa\n", b"bbbb\n"] {
            file.append(line).unwrap();
        }
        assert_eq!(texts(folder.path()), named(&[("e.jsonl", "aaaa\nbbbb\n")]));
        file.append(b"cccc\n").unwrap();
        assert_eq!(texts(folder.path()), named(&[("e.jsonl", "cccc\n"), ("e.jsonl.1", "aaaa\nbbbb\n")]));
        for line in [b"dddddd\n", b"eeeeee\n"] {
            file.append(line).unwrap();
        }
        let kept = [("e.jsonl", "eeeeee\n"), ("e.jsonl.1", "dddddd\n"), ("e.jsonl.2", "cccc\n")];
        assert_eq!(texts(folder.path()), named(&kept));
        // What is too long for any file has one of its own.
        file.append(b"0123456789abcdef\n").unwrap();
        file.append(b"f\n").unwrap();
        let kept = [("e.jsonl", "f\n"), ("e.jsonl.1", "0123456789abcdef\n"), ("e.jsonl.2", "eeeeee\n")];
        assert_eq!(texts(folder.path()), named(&kept));
    }

    #[test]
    fn a_file_of_before_is_gone_on_with_and_half_a_line_gets_an_end() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("e.jsonl"), "a\nha").unwrap();
        RotatingFile::open(rotation(folder.path())).unwrap().append(b"b\n").unwrap();
        assert_eq!(texts(folder.path()), named(&[("e.jsonl", "a\nha\nb\n")]));
    }

    #[test]
    fn a_file_that_was_moved_away_or_deleted_is_not_written_to_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatingFile::open(rotation(folder.path())).unwrap();
        file.append(b"a\n").unwrap();
        fs::rename(folder.path().join("e.jsonl"), folder.path().join("moved")).unwrap();
        file.append(b"b\n").unwrap();
        assert_eq!(texts(folder.path()), named(&[("e.jsonl", "b\n"), ("moved", "a\n")]));
        fs::remove_file(folder.path().join("e.jsonl")).unwrap();
        file.append(b"c\n").unwrap();
        assert_eq!(texts(folder.path()), named(&[("e.jsonl", "c\n"), ("moved", "a\n")]));
    }

    #[test]
    fn what_is_no_plain_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.jsonl");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
        assert!(RotatingFile::open(rotation(folder.path())).is_err(), "a link");
        fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(RotatingFile::open(rotation(folder.path())).is_err(), "a pipe");
        assert!(!folder.path().join("elsewhere").exists());
    }
}
