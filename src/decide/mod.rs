//! What becomes of a connection: a pure function of the policy and of what is known about the destination. And what
//! becomes of a question, by the policy alone; and whether a connection may go on by another policy.

mod decision;
mod explain;
mod query;
mod standing;

pub use decision::{Decision, decide};
pub use explain::{Connected, Explanation, KnownName, Scene, Step, explain};
pub use query::{QueryDecision, decide_query};
pub use standing::{Standing, Way, may_go_on};
