//! What would have become of captured packets: the same workers, guard and cache as in the running decider, with the
//! capture's clock.
//!
//! [`Capture`] reads a file, [`ip()`] takes the link's header off, [`Player`] plays the packets. What the ruleset would have
//! done is told by `gate`; which connection a packet is of, by `flows`.

mod capture;
mod clients;
mod dns_stream;
mod flows;
mod gate;
mod held;
mod link;
mod player;
mod reassembly;
mod resolvers;
mod totals;

pub use capture::{Capture, CaptureError, Captured};
pub use clients::Clients;
pub use link::{NoIp, ip};
pub use player::Player;
pub use resolvers::Resolvers;
pub use totals::Totals;
