//! Envoy, which carries the allowed flows: one listener a route, one cluster a port of it.
//!
//! [`render`] is a pure function of the policy: what Envoy starts with (`bootstrap.rs`), its listeners (`listeners.rs`)
//! and clusters (`clusters.rs`). [`Launch`] finds everything, writes the files and starts Envoy, or takes over the one
//! that a decider before this one started; [`Supervisor`] keeps it running and publishes an [`EnvoyState`].

mod account;
mod admin;
mod backoff;
mod binary;
mod bootstrap;
mod clusters;
mod connected;
mod directory;
mod error;
mod files;
mod host;
mod http;
mod layout;
mod limits;
mod listeners;
mod logs;
mod meaning;
mod observer;
mod offer;
mod parts;
mod pattern;
mod process;
mod program;
mod proto;
mod resources;
mod silence;
mod state;
mod steering;
mod supervisor;
mod transition;

pub use account::Account;
pub use binary::find as find_binary;
pub use connected::{Connected, Downstream, Upstream};
pub use directory::make_directory;
pub use error::EnvoyError;
pub use files::{Files, render};
pub use host::{Families, Family, Host};
pub use layout::Layout;
pub use meaning::Listener;
pub use program::Program;
pub use resources::{Resource, Resources};
pub use state::{EnvoyState, Phase};
pub use steering::Steering;
pub use supervisor::{Launch, Started, Supervisor, stop_leftover};
