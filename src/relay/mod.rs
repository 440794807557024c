//! DNS over TCP: decider's own relay between covered clients and the policy's resolvers.
//!
//! The kernel hands over a client's connection to TCP port 53 of a trusted resolver with its original destination, as it
//! does for Envoy's listeners. [`exchange()`] carries the messages of one connection; each goes by the same guard as a message
//! over UDP, so that an answer is learned before it goes on. [`Listeners`] and [`spawn`] are the edge: sockets, and a thread
//! with a runtime of its own, so that nothing that clients send delays the control plane.

mod counters;
mod exchange;
mod framing;
pub mod limits;
mod listeners;
mod outstanding;
mod places;
mod server;
mod session;
mod silence;

pub use counters::RelayCounters;
pub use exchange::{End, Inspect, exchange};
pub use framing::Messages;
pub use listeners::{ListenError, Listeners, is_without_ipv6};
pub use places::{Place, Places};
pub use server::spawn;
pub use session::outstanding;
