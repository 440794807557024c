//! What several views say, in the same words.

mod explanation;
mod who;

pub use explanation::{Said, explanation};
pub use who::who;
