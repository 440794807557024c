use super::proto::MAX_CONNECTIONS;

/// What Envoy's configuration depends on beside the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// The families in which listeners are made.
    pub families: Families,
    /// Files that Envoy may have open.
    pub open_files: u64,
}

/// The families in which listeners are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Families {
    /// IPv4 and IPv6.
    #[default]
    Both,
    /// This host has no `::1`.
    V4Only,
}

impl Families {
    /// Each of them.
    #[must_use]
    pub const fn each(self) -> &'static [Family] {
        match self {
            Self::Both => &[Family::V4, Family::V6],
            Self::V4Only => &[Family::V4],
        }
    }
}

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The word for it, in the names of clusters and filter chains and in Envoy's own configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V4 => "V4",
            Self::V6 => "V6",
        }
    }
}

/// Sockets of a connection: the client's, and two upstream while both families are tried.
const SOCKETS: u64 = 3;
/// Files that Envoy has open whatever it does: sockets of 12,000 listeners in two families, logs, its own.
const OTHERS: u64 = 2_000;

impl Host {
    /// As many files as Envoy can make use of.
    pub const ENOUGH_FILES: u64 = SOCKETS * MAX_CONNECTIONS as u64 + OTHERS;

    /// Connections that Envoy can take at a time: without files left for the upstream side it would end.
    #[must_use]
    pub fn connections(self) -> u32 {
        let room = self.open_files.saturating_sub(OTHERS) / SOCKETS;
        u32::try_from(room).unwrap_or(u32::MAX).clamp(1, MAX_CONNECTIONS)
    }
}

impl Default for Host {
    /// A host that lacks nothing.
    fn default() -> Self {
        Self { families: Families::Both, open_files: Self::ENOUGH_FILES }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_as_many_as_there_are_files_for() {
        let connections = |open_files| Host { open_files, ..Host::default() }.connections();
        assert_eq!(Host::default().connections(), MAX_CONNECTIONS);
        assert_eq!(connections(u64::MAX), MAX_CONNECTIONS);
        assert_eq!(connections(20_000), 6_000);
        assert_eq!(connections(256), 1);
    }
}
