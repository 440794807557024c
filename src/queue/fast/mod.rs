//! What is left to the kernel, and taken from it again.
//!
//! Who changes what is known, published or ready takes out first what rests on it: [`FastPath::withdraw`] for one pair of
//! client and address, [`Shared::pause_fast`](super::Shared::pause_fast) for everything. An element is put in while the lock is
//! held under which it was decided; so whoever changes something either is seen by that decision, or waits for the element and
//! takes it out.

mod ahead;
mod figures;
mod fill;
mod path;
mod pause;
mod state;

pub use figures::FastFigures;
pub use path::FastPath;
pub use pause::Pause;
