use std::cmp::Reverse;

use super::row::Row;

/// In which order the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// The last decision first.
    Recent,
    /// The most decisions a second first.
    Rate,
    /// The most bytes first.
    Bytes,
    /// By name.
    Name,
    /// By client.
    Client,
}

impl Sort {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recent => "recent",
            Self::Rate => "rate",
            Self::Bytes => "bytes",
            Self::Name => "name",
            Self::Client => "client",
        }
    }

    /// The one after it.
    pub const fn next(self) -> Self {
        match self {
            Self::Recent => Self::Rate,
            Self::Rate => Self::Bytes,
            Self::Bytes => Self::Name,
            Self::Name => Self::Client,
            Self::Client => Self::Recent,
        }
    }

    /// Sorts; what is equal stays as it was but for the destination, so that nothing jumps.
    pub fn sort(self, rows: &mut [&Row]) {
        rows.sort_by_key(|row| (row.dst, row.dst_port));
        match self {
            Self::Recent => rows.sort_by_key(|row| Reverse(row.last)),
            Self::Rate => rows.sort_by(|one, other| other.rate.total_cmp(&one.rate)),
            Self::Bytes => rows.sort_by_key(|row| Reverse(row.bytes)),
            Self::Name => rows.sort_by(|one, other| {
                (one.domain.is_none(), &one.domain).cmp(&(other.domain.is_none(), &other.domain))
            }),
            Self::Client => rows.sort_by_key(|row| row.client),
        }
    }
}
