//! From recorded decisions to a proposed policy: the fewest rules that let through what was seen.
//!
//! [`Seen`] takes events one by one and keeps a bounded sum of them; [`Proposal`] makes rules of that, each with its
//! [`Evidence`], and says what no rule can be about; [`write()`] puts it into words, harmless whatever the events held.

mod evidence;
mod few;
mod finish;
mod generalise;
mod harmless;
mod left_out;
mod neighbours;
mod proposal;
mod rule;
mod seen;
mod settings;
mod words;
mod write;

pub use evidence::Evidence;
pub use few::Few;
pub use left_out::{LeftOut, Place, Why};
pub use proposal::{Base, Proposal};
pub use rule::Learned;
pub use seen::Seen;
pub use settings::Settings;
pub use write::{entries, left_out, write};
