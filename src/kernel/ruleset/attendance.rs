use std::fmt;

use crate::model::{Mark, MarkMask};

use super::super::names::{ALIVE_CHAIN, ALIVE_TABLE};

/// How the ruleset comes to know that decider's process is there: a table that ends with the process makes the one mark the
/// other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attendance {
    /// What it finds on a SYN, with none of others' bits beside.
    pub waiting: Mark,
    /// What it makes of that.
    pub attended: Mark,
}

impl Attendance {
    /// Between the chain that looks at a SYN and the one that decides it.
    pub const PRIORITY: i32 = -149;

    /// With the marks of this mask, if it has enough of them.
    #[must_use]
    pub fn of(mask: MarkMask) -> Option<Self> {
        Some(Self { waiting: mask.waiting()?, attended: mask.attended()? })
    }
}

impl fmt::Display for Attendance {
    /// The table, as nft lists it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { waiting, attended } = self;
        writeln!(f, "table inet {ALIVE_TABLE} {{\n\tflags owner\n\tchain {ALIVE_CHAIN} {{")?;
        writeln!(f, "\t\ttype filter hook prerouting priority {}; policy accept;", Self::PRIORITY)?;
        writeln!(f, "\t\tmeta mark {waiting} meta mark set {attended}\n\t}}\n}}")
    }
}
