use std::path::Path;

use crate::kernel::{KernelError, Nft, Routing, RoutingPlan, Ruleset, interface_names};
use crate::policy::{Mode, Spec};

use super::offline;
use super::options::{Options, StartError};
use super::state_dir::StateDir;

/// What a lockdown came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lockdown {
    /// The policy's ruleset and routing are in force, with nobody who decides.
    InForce,
    /// The policy refuses nothing: nothing was done.
    Audit,
    /// A decider runs, which has the door in its hands: nothing was done.
    Running,
}

/// Closes the door as a policy will have it, until decider runs. Whatever part of it fails, the rest is done.
///
/// # Errors
/// What could not be put in force; or why the policy could not be compiled: then nothing has been done.
pub fn lock_down(spec: Spec, state_dir: &Path) -> Result<Lockdown, StartError> {
    if StateDir::is_held(state_dir) {
        return Ok(Lockdown::Running);
    }
    if spec.mode == Mode::Audit {
        return Ok(Lockdown::Audit);
    }
    let policy = offline::compile(spec, state_dir)?;
    // Without its user, Envoy is let out no more than others: that is closed all the same.
    let local = offline::local(&policy);
    // Beside the ruleset, not behind it: each holds the door without the other.
    let ruleset = Nft::apply(&Ruleset::undecided(&policy, Options::default().log_group, &local));
    let routing = keep_routing(&RoutingPlan::new(&policy, &interface_names()));
    ruleset?;
    routing?;
    Ok(Lockdown::InForce)
}

/// Closes everything, for want of a policy; says whether that was needed: where a decider runs, nothing is done.
///
/// # Errors
/// If the ruleset cannot be put in force.
pub fn close(state_dir: &Path) -> Result<bool, KernelError> {
    if StateDir::is_held(state_dir) {
        return Ok(false);
    }
    Nft::apply(&Ruleset::closed()).map(|_| true)
}

fn keep_routing(plan: &RoutingPlan) -> Result<(), StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| StartError::system("start the runtime", source))?;
    runtime.block_on(async {
        Routing::connect()?.ensure(plan).await?;
        Ok(())
    })
}
