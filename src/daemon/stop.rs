use std::path::Path;

use crate::envoy;
use crate::kernel;

use super::options::StartError;
use super::running::Daemon;

/// Ends decider and its Envoy; the ruleset and the lockdown stay, so nothing new gets out.
///
/// # Errors
/// None now; the door is closed whatever happens here.
pub async fn leave_closed(daemon: Daemon) -> Result<(), StartError> {
    daemon.control.abort();
    daemon.envoy.stop().await;
    Ok(())
}

/// Ends decider and its Envoy and removes every trace from the kernel.
///
/// # Errors
/// What could not be removed.
pub async fn remove_all(daemon: Daemon) -> Result<(), String> {
    // The socket is answered until the process ends, so that whoever asked gets the answer.
    let removed = kernel::teardown().await.map_err(|error| error.to_string());
    daemon.envoy.stop().await;
    removed.map(drop)
}

/// Removes what a decider that does not run any more left behind; says what that was.
///
/// # Errors
/// What could not be removed, and why.
pub fn remove_leftovers(config_dir: &Path) -> Result<Vec<String>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the runtime: {error}"))?;
    runtime.block_on(async {
        let mut removed = kernel::teardown().await.map_err(|error| error.to_string())?;
        if envoy::stop_leftover(config_dir).await.map_err(|error| error.to_string())? {
            removed.push("its Envoy".to_owned());
        }
        Ok(removed)
    })
}
