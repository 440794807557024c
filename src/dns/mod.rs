//! Names, learned from the DNS messages that pass.
//!
//! [`question()`] and [`answer()`] read messages (`hickory-proto` stays private in here). [`Pending`] tells whether an
//! answer was asked for. [`Observations`] keeps which name an address was the answer to, for which client and until
//! when, and [`Known`] is what it says of one address. [`Flows`] are the connections that keep observations alive.
//! [`Reply`] is what decider answers by itself. [`journal`] is how observations outlive a restart.
//!
//! Only the name in the question is ever learned, and only for addresses that its own CNAME chain leads to within the
//! answer section of the same message; also from the address hints of HTTPS and SVCB records.

mod answer;
mod book;
mod budget;
mod error;
mod fair;
mod flows;
mod forgotten;
mod hints;
mod holds;
pub mod journal;
mod known;
mod limits;
mod loans;
mod message;
mod observations;
mod pending;
mod private;
mod question;
mod record;
mod reply;
mod wire_name;

pub use answer::{Answer, Found, Nothing, Outcome, answer};
pub use budget::Budgets;
pub use error::DnsError;
pub use flows::{Flow, Flows};
pub use holds::Held;
pub use known::Known;
pub use limits::Limits;
pub use loans::Pair;
pub use observations::Observations;
pub use pending::{Miss, Pending, PendingLimits};
pub use question::{Question, question};
pub use record::{Belief, Grounds, Record, State};
pub use reply::Reply;
pub use wire_name::WireName;
