//! The ruleset as data: [`Ruleset::plan`] is a pure function of the policy; its text goes to `nft -f`.
//!
//! The way of a client's packet through the chains is told in `plan.rs`, top to bottom, and that of what this host's own
//! processes send in `host.rs`.

mod attendance;
mod bridged;
mod closed;
mod fast;
mod host;
mod marks;
mod plan;
mod private;
mod refusals;
pub(in crate::kernel) mod table;
mod update;
mod upkeep;

pub use attendance::Attendance;
pub use host::Local;
pub use plan::{QueueNumbers, QueueStatement, Ruleset};
pub use table::Table;
