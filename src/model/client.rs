use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

/// Who sent a packet: its source address, as the gateway sees it; or this host, whichever of its addresses it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub IpAddr);

impl ClientId {
    /// This host's own processes. No packet that is decided has this address.
    pub const HOST: Self = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::HOST {
            return f.write_str("this host");
        }
        self.0.fmt(f)
    }
}
