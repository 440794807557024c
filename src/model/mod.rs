//! The words of the project as types. No I/O, no clocks.

mod client;
mod domain;
mod epoch;
mod mark;
mod moment;
mod proto;
mod reason;
mod rule_id;
mod verdict;

pub use client::ClientId;
pub use domain::{DomainName, NameError};
pub use epoch::Epoch;
pub use mark::{Mark, MarkMask, Slot};
pub use moment::Moment;
pub use proto::{Proto, Transport};
pub use reason::Reason;
pub use rule_id::RuleId;
pub use verdict::Verdict;
