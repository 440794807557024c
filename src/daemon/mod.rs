//! The only wiring: start, heal, stop.
//!
//! [`run`] brings everything up in an order in which no door is open at any moment ([`start`]), then waits for
//! what happens ([`watch`]): changes to the kernel's state ([`heal`]), to Envoy, to the workers, a signal, or `down`.

mod backend;
mod backstop;
mod event_file;
mod fast;
mod firewall;
mod flows;
mod heal;
mod interfaces;
mod journal;
mod listeners;
mod living;
mod local;
mod lockdown;
mod metrics;
mod notify;
pub mod offline;
mod options;
mod pace;
mod policy_watch;
mod preflight;
mod refusals;
mod reload;
mod running;
mod sandbox;
mod start;
mod state_dir;
mod stop;
mod temporary;
mod watch;
mod who;
mod workers;

pub use crate::queue::Backend as QueueBackend;
pub use interfaces::own_addresses;
pub use lockdown::{Lockdown, close, lock_down};
pub use options::{OnExit, Options, StartError};
pub use stop::remove_leftovers;

use crate::policy::Spec;

use sandbox::Sandbox;
use who::Registry;

/// Enforces a policy until told to stop.
///
/// # Errors
/// If it cannot be brought into force: then nothing is left behind that was not there before.
pub fn run(spec: Spec, options: Options) -> Result<(), StartError> {
    let sandbox = Sandbox::enter(&spec, &options);
    let no_thread = |source| StartError::system("start a thread", source);
    let with_sight = spec.host.then(Registry::start).transpose().map_err(no_thread)?;
    let (sandbox, made) = sandbox.without_files(&spec, &options);
    let who = with_sight.map_or_else(Registry::start, Ok).map_err(no_thread)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|source| StartError::system("start the runtime", source))?;
    let result = runtime.block_on(async {
        let started = start::start(spec, options, sandbox, who).await;
        let daemon = started.inspect_err(|_| made.remove())?;
        watch::watch(daemon).await
    });
    // Workers block in the kernel and end with the process.
    runtime.shutdown_background();
    result
}

/// For what a command does by itself, and does not go on with.
fn small_runtime() -> Result<tokio::runtime::Runtime, StartError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| StartError::system("start the runtime", source))
}
