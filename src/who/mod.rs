//! Who of this host began a connection: user, process, program, control group.
//!
//! Asked on the side, after the verdict: [`Owners`] asks the kernel for the socket of a connection (`sock_diag`) and looks
//! for the process that has it open (`/proc`), within a [`Budget`]. A connection whose socket is gone is nobody's.

mod budget;
mod cgroups;
mod owners;
mod processes;
mod unit;

pub use budget::Budget;
pub use owners::Owners;
pub use unit::unit;
