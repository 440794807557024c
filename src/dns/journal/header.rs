use std::time::Duration;

use crate::model::Moment;

use super::line::{next, seal};

/// What a header begins with; the number is that of the format.
const MAGIC: [&str; 2] = ["decider-observations", "1"];
/// Characters of a boot id at most; Linux has 36.
const MAX_BOOT_ID: usize = 64;

/// What the times in a journal mean: which boot they count from, and when that was by the wall clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    boot_id: String,
    /// How far the wall clock is ahead of the clock that counts from boot, in nanoseconds; less than nothing on a
    /// machine that believes to be in 1970.
    ahead: i128,
}

impl Header {
    /// The clocks as they are: the boot's id, the wall clock (time since 1970), and at the same moment the clock of
    /// this boot. Characters of the id that are not letters, digits or `-` do not count.
    #[must_use]
    pub fn new(boot_id: &str, wall: Duration, now: Moment) -> Self {
        let boot_id = boot_id.chars().filter(|&c| is_boot_id(c)).take(MAX_BOOT_ID).collect();
        Self { boot_id, ahead: ahead(wall, now) }
    }

    /// The clocks of the same boot at another moment.
    #[must_use]
    pub fn at(&self, wall: Duration, now: Moment) -> Self {
        Self { boot_id: self.boot_id.clone(), ahead: ahead(wall, now) }
    }

    /// How far the wall clock was set between two looks at the clocks of one boot.
    #[must_use]
    pub fn drift(&self, other: &Self) -> Duration {
        let nanos = self.ahead.saturating_sub(other.ahead).unsigned_abs();
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// A time written under this header in the clock of `present`, in nanoseconds: below zero if it was before that
    /// boot.
    pub(super) fn carry(&self, time: Moment, present: &Self) -> i128 {
        let time = i128::from(time.nanos());
        if self.boot_id == present.boot_id && !self.boot_id.is_empty() {
            time
        } else {
            time.saturating_add(self.ahead).saturating_sub(present.ahead)
        }
    }

    pub(super) fn decode(body: &str) -> Option<Self> {
        let mut fields = body.split_ascii_whitespace();
        if MAGIC.iter().any(|&word| fields.next() != Some(word)) {
            return None;
        }
        let boot_id = fields.next()?;
        let sound = boot_id.len() <= MAX_BOOT_ID && boot_id.chars().all(is_boot_id);
        let header = Self { boot_id: boot_id.to_owned(), ahead: next(&mut fields)? };
        (sound && fields.next().is_none()).then_some(header)
    }
}

/// The line that says what the times in the lines of the same file mean, without its end.
#[must_use]
pub fn encode_header(header: &Header) -> String {
    let boot_id = if header.boot_id.is_empty() { "-" } else { &header.boot_id };
    let [name, version] = MAGIC;
    seal(&format!("{name} {version} {boot_id} {}", header.ahead))
}

/// How far the wall clock is ahead, in nanoseconds.
fn ahead(wall: Duration, now: Moment) -> i128 {
    i128::try_from(wall.as_nanos()).unwrap_or(i128::MAX).saturating_sub(now.nanos().into())
}

fn is_boot_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}
