use std::path::Path;

use tokio::task::JoinHandle;

use crate::envoy;
use crate::kernel;

use super::options::StartError;
use super::running::Daemon;
use super::state_dir::load_last_run;

/// Ends decider and its Envoy; the ruleset and the lockdown stay, so nothing new gets out.
///
/// # Errors
/// None now; the door is closed whatever happens here.
pub async fn leave_closed(daemon: Daemon) -> Result<(), StartError> {
    tokio::task::block_in_place(|| daemon.view.shared.close_fast());
    daemon.control.abort();
    daemon.metrics.inspect(tokio::task::JoinHandle::abort);
    end(daemon.reloader).await;
    daemon.envoy.stop().await;
    Ok(())
}

/// Ends decider and its Envoy and removes every trace from the kernel.
///
/// # Errors
/// What could not be removed.
pub async fn remove_all(daemon: Daemon) -> Result<(), String> {
    tokio::task::block_in_place(|| daemon.view.shared.close_fast());
    // The socket is answered until the process ends, so that whoever asked gets the answer.
    end(daemon.reloader).await;
    let removed = kernel::teardown().await.map_err(|error| error.to_string());
    daemon.envoy.stop().await;
    removed.map(drop)
}

/// Ends a task wherever it is: what it would go on with is not wanted any more.
async fn end(task: JoinHandle<()>) {
    task.abort();
    // It says that it was aborted.
    let _ = task.await;
}

/// Removes what the last decider with this state directory left behind; says what that was.
///
/// # Errors
/// What could not be removed, and why.
pub fn remove_leftovers(state_dir: &Path) -> Result<Vec<String>, StartError> {
    super::small_runtime()?.block_on(async {
        // The kernel first: it is the same whatever the state directory says.
        let mut removed = kernel::teardown().await?;
        if let Some(run) = load_last_run(state_dir)?
            && envoy::stop_leftover(&run.envoy_dir).await?
        {
            removed.push("its Envoy".to_owned());
        }
        Ok(removed)
    })
}
