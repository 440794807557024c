//! The backstop of host mode: what holds the door while decider's ruleset is gone.
//!
//! A small eBPF program at the egress of every interface but `lo` (`tc`, `clsact`, direct action). It drops what begins
//! a connection of a local socket without a mark of decider's: such a packet has not been through the ruleset. `nft flush
//! ruleset` does not touch it, and it stays when decider ends.
//!
//! [`BackstopPlan`] says what should be there, [`program`] is the program, [`object`] packs it for the loader: all pure.
//! [`Backstop`] loads and keeps it.

mod assembler;
mod filters;
mod guard;
mod loader;
mod object;
mod plan;
mod program;

pub use filters::remove_filters;
pub use guard::{Backstop, BackstopChanges};
pub use plan::{BackstopPlan, Link};
