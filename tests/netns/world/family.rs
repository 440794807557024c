use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One of the two: every scenario has both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// As `ip` and the programs of ssh take it.
    pub fn flag(self) -> &'static str {
        match self {
            Self::V4 => "-4",
            Self::V6 => "-6",
        }
    }

    /// This machine, for itself.
    pub fn loopback(self) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::LOCALHOST.into(),
            Self::V6 => Ipv6Addr::LOCALHOST.into(),
        }
    }

    /// The type of record that holds such an address.
    pub fn record_type(self) -> u16 {
        match self {
            Self::V4 => 1,
            Self::V6 => 28,
        }
    }
}

/// The same thing in both families.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    v4: &'static str,
    v6: &'static str,
}

impl Pair {
    pub const fn new(v4: &'static str, v6: &'static str) -> Self {
        Self { v4, v6 }
    }

    pub fn of(self, family: Family) -> IpAddr {
        match family {
            Family::V4 => self.v4.parse().unwrap(),
            Family::V6 => self.v6.parse().unwrap(),
        }
    }

    pub fn both(self) -> [IpAddr; 2] {
        Family::BOTH.map(|family| self.of(family))
    }
}

/// Runs a part of a scenario for IPv4 and for IPv6.
pub fn both(mut part: impl FnMut(Family)) {
    for family in Family::BOTH {
        part(family);
    }
}
