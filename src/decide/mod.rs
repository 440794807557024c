//! What becomes of a connection: a pure function of the policy and of what is known about the destination.

mod decision;
mod explain;

pub use decision::{Decision, decide};
pub use explain::{Explanation, KnownName, Scene, Step, explain};
