use std::path::Path;

use crate::kernel::{Backstop, BackstopPlan, KernelError, Nft, Routing, RoutingPlan, Ruleset, interface_names, links};
use crate::policy::{Mode, Policy, Spec};

use super::offline;
use super::options::{Options, StartError};
use super::state_dir::StateDir;

/// What a lockdown came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lockdown {
    /// The policy's ruleset and routing are in force, with nobody who decides.
    InForce,
    /// The same, but for the backstop that the policy needs: while the ruleset is gone, nothing holds this host's own door.
    WithoutBackstop,
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
    let runtime = super::small_runtime()?;
    let routing = runtime.block_on(keep_routing(&RoutingPlan::new(&policy, &interface_names())));
    // Other firewalls begin with a flush of all there is, at boot too.
    let backstop = runtime.block_on(keep_backstop(&policy));
    ruleset?;
    routing?;
    Ok(if backstop.is_ok() { Lockdown::InForce } else { Lockdown::WithoutBackstop })
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

async fn keep_routing(plan: &RoutingPlan) -> Result<(), KernelError> {
    Routing::connect()?.ensure(plan).await.map(drop)
}

/// On the interfaces that there are by now.
async fn keep_backstop(policy: &Policy) -> Result<(), KernelError> {
    match BackstopPlan::new(policy, &links()?) {
        Some(plan) => Backstop::connect()?.ensure(Some(&plan)).await.map(drop),
        None => Ok(()),
    }
}
