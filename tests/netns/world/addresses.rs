//! Who lives where: only addresses for documentation and benchmarks, and two private client networks.

use super::family::Pair;

/// The gateway on the side of the internet.
pub const GATEWAY: Pair = Pair::new("192.0.2.1", "2001:db8:2::1");
/// The gateway as the first client sees it.
pub const GATEWAY_INSIDE: Pair = Pair::new("10.77.1.1", "fd77:1::1");
/// The clients.
pub const CLIENTS: [Pair; 2] = [Pair::new("10.77.1.2", "fd77:1::2"), Pair::new("10.77.2.2", "fd77:2::2")];
/// The resolver that the policy trusts.
pub const RESOLVER: Pair = Pair::new("203.0.113.53", "2001:db8:53::53");
/// A resolver that it does not trust.
pub const OTHER_RESOLVER: Pair = Pair::new("203.0.113.99", "2001:db8:53::99");
pub const GITHUB: Pair = Pair::new("198.51.100.10", "2001:db8:100::10");
pub const GITLAB: Pair = Pair::new("198.51.100.20", "2001:db8:100::20");
pub const DATABASE: Pair = Pair::new("198.51.100.30", "2001:db8:100::30");
/// One address with two names, `one.example` and `two.example`.
pub const SHARED: Pair = Pair::new("198.51.100.40", "2001:db8:100::40");
/// Nobody has a rule for it, nor a name.
pub const STRANGER: Pair = Pair::new("198.51.100.66", "2001:db8:100::66");
