//! Names and numbers of what decider makes in the kernel: by these it finds its own things again.

/// The nftables table, in the `inet` family.
pub const TABLE: &str = "decider";

/// The chain that hands SYNs to the queues.
pub const SYN_QUEUE_CHAIN: &str = "to_syn_queue";

/// The chain that hands DNS messages to the queues.
pub const DNS_QUEUE_CHAIN: &str = "to_dns_queue";

/// The maps by which the kernel decides alone: of IPv4, of IPv6.
pub const FAST_MAPS: [&str; 2] = ["fast4", "fast6"];

/// The set whose only element says that those count.
pub const FAST_LEASE: &str = "fast_lease";

/// The chain that asks them.
pub const FAST_CHAIN: &str = "fast";

/// Counts what was let through by them.
pub const FAST_COUNTER: &str = "fast";

/// The table that is decider's process's own, in the `inet` family: the kernel deletes it when that ends.
pub const ALIVE_TABLE: &str = "decider_alive";

/// Its only chain.
pub const ALIVE_CHAIN: &str = "alive";

/// The number by which rules and routes are decider's (`rtm_protocol`, linux/rtnetlink.h: user space may take any above 4).
pub const PROTOCOL: u8 = 222;

/// The routing table that delivers marked packets to the local stack.
pub const LOCAL_TABLE: u32 = 5300;

/// Preferences of the routing rules, in front of those of VPNs and of the main table.
pub mod preference {
    /// Marks of listeners, the first class: to the local stack.
    pub const LISTENERS: [u32; 2] = [530, 531];
    /// What may pass without a proxy skips the lockdown.
    pub const DIRECT: u32 = 532;
    /// The lockdown of client interfaces.
    pub const LOCKDOWN: u32 = 533;
    /// Where [`DIRECT`] goes on.
    pub const BEHIND: u32 = 534;
}

/// The filters of traffic control that are the backstop.
pub mod backstop {
    /// In front of all others (`pref`).
    pub const PREFERENCE: u16 = 1;
    /// Tells it from others of that preference (`handle`).
    pub const HANDLE: u32 = 5300;
    /// The name where the `clsact` was there before.
    pub const NAME: &str = "decider-backstop";
    /// The name where decider made the `clsact`: it goes with the filter.
    pub const NAME_WITH_QDISC: &str = "decider-backstop-clsact";
}
