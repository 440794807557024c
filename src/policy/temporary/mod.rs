//! Rules with an end, which somebody adds to the policy in force: what was asked for becomes a [`Rule`](super::Rule) that the
//! checker of policy files has read ([`resolve()`]), [`Temporaries`] are merged with what the file says, [`Saved`] carries them
//! over a restart.
//!
//! Whether one has ended is asked at each look-up ([`Rule::counts_for`](super::Rule::counts_for)): nothing is let through late
//! because somebody was busy.

mod conflict;
mod list;
mod resolve;
mod saved;
mod target;

use std::time::Duration;

pub use list::{Dropped, Merged, Temporaries};
pub use resolve::{Asked, Refused, Resolved, resolve};
pub use saved::{Clocks, Lost, SAVE_EVERY, Saved};

/// Temporary rules at a time.
pub const MOST: usize = 64;
/// The shortest time that one can be asked for.
pub const SHORTEST: Duration = Duration::from_secs(1);
/// The longest.
pub const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
