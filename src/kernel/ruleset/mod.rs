//! The ruleset as data: [`Ruleset::plan`] is a pure function of the policy; its text goes to `nft -f`.
//!
//! The way of a packet through the chains is told in `plan.rs`, top to bottom.

mod bridged;
mod closed;
mod marks;
mod plan;
mod private;
mod refusals;
pub(in crate::kernel) mod table;

pub use plan::{QueueNumbers, QueueStatement, Ruleset};
pub use table::Table;
