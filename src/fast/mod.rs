//! What the kernel may decide by itself: connections like one that has been decided already, for as long as what it was
//! decided by cannot have changed.
//!
//! [`grounds()`] says whether a decision may be left to the kernel, and how long. [`Table`] is what the kernel's map holds, and
//! [`FastMap`] the map itself.

mod element;
mod grounds;
mod map;
mod table;

use std::time::Duration;

pub use element::{Element, Key};
pub use grounds::{Grounds, grounds, next_end};
pub use map::FastMap;
pub use table::{CAPACITY, SHARE, Table};

/// An element ends this much sooner than what it rests on: so long may it take to put it in.
pub const MARGIN: Duration = Duration::from_millis(500);
