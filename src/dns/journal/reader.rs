use crate::model::Moment;

use super::super::record::Record;
use super::header::Header;
use super::line::{decode, open};

/// What a journal holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// The observations that have not expired, in the clock of this boot, the oldest first. None is believed yet.
    pub records: Vec<Record>,
    /// Those that have, likewise: a connection that lives may hold one.
    pub expired: Vec<Record>,
    /// Lines that are not what was written.
    pub damaged: usize,
    /// Observations that seem to have been made in the future: the wall clock was set back, so nobody knows how old
    /// they are. They are not among the records.
    pub undated: usize,
}

/// Takes in a journal, line by line.
pub struct Reader {
    /// The header of the file, once it has been met.
    written: Option<Header>,
    /// As they were written.
    records: Vec<Record>,
    damaged: usize,
}

impl Reader {
    /// Nothing has been read yet.
    #[must_use]
    pub fn new() -> Self {
        Self { written: None, records: Vec::new(), damaged: 0 }
    }

    /// Takes in a line, with or without its end. Empty ones do not count.
    pub fn take(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if line.is_empty() {
            return;
        }
        let body = open(line);
        if let Some(record) = body.and_then(decode) {
            self.records.push(record);
        } else if let Some(header) = body.and_then(Header::decode) {
            self.written = Some(header);
        } else {
            self.damaged += 1;
        }
    }

    /// What the lines say at the moment `now` of the clock that `present` is about. Without a header no line can be
    /// dated, so all of them count as damaged.
    #[must_use]
    pub fn finish(mut self, present: &Header, now: Moment) -> Saved {
        let Some(written) = self.written else {
            return Saved { damaged: self.damaged + self.records.len(), ..Saved::default() };
        };
        // By the time that was written: of those from before this boot all that is left in its clock is zero.
        self.records.sort_by_key(|record| record.learned);
        let mut saved = Saved { damaged: self.damaged, ..Saved::default() };
        for record in self.records {
            let learned = written.carry(record.learned, present);
            let expires = written.carry(record.expires, present);
            if learned > i128::from(now.nanos()) {
                saved.undated += 1;
                continue;
            }
            let list = if expires > i128::from(now.nanos()) { &mut saved.records } else { &mut saved.expired };
            list.push(Record { learned: moment(learned), expires: moment(expires), ..record });
        }
        saved
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

/// Reads a whole journal. See [`Reader`], which needs no more than a line at a time.
#[must_use]
pub fn read(bytes: &[u8], present: &Header, now: Moment) -> Saved {
    let mut reader = Reader::new();
    for line in bytes.split(|&byte| byte == b'\n') {
        reader.take(line);
    }
    reader.finish(present, now)
}

fn moment(nanos: i128) -> Moment {
    Moment::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
}
