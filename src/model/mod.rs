//! The words of the project as types. No I/O, no clocks.

mod address;
mod client;
mod domain;
mod epoch;
mod mark;
mod moment;
mod name_pattern;
mod other_names;
mod proto;
mod reason;
mod rule_id;
mod scope;
mod suggest;
mod upstream;
mod verdict;
mod who;
mod words;

pub use address::address_bits;
pub use client::ClientId;
pub use domain::{DomainName, NameError};
pub use epoch::Epoch;
pub use mark::{Mark, MarkMask, Slot};
pub use moment::Moment;
pub use name_pattern::{NamePattern, NamePatternError};
pub use other_names::OtherNames;
pub use proto::{Proto, Transport};
pub use reason::Reason;
pub use rule_id::RuleId;
pub use scope::Scope;
pub(crate) use suggest::nearest;
pub use upstream::Upstream;
pub use verdict::Verdict;
pub use who::Who;
pub(crate) use words::words;
