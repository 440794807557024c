//! What can be learned of nft and the kernel without changing anything.

use serde_json::Value;

use super::KernelError;
use super::nft::{Refusal, run};

/// What `nft --version` says.
///
/// # Errors
/// If it cannot be run.
pub fn nft_version() -> Result<String, KernelError> {
    let output = run(&["--version"], "")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// All tables of this network namespace, as `nft -j list ruleset` prints them.
///
/// # Errors
/// If they cannot be listed.
pub fn list_ruleset() -> Result<Value, KernelError> {
    let output = run(&["--json", "--stateless", "list", "ruleset"], "")?;
    let failed = |message| KernelError::Nft { operation: "list the ruleset", message };
    match output.refusal() {
        Some(message) => Err(failed(message)),
        None => serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string())),
    }
}

/// Has the kernel look at a ruleset without taking it; says what it has against it.
///
/// # Errors
/// If nft cannot be run.
pub fn try_ruleset(text: &str) -> Result<Option<String>, KernelError> {
    Ok(run(&["--check", "--file", "-"], text)?.refusal())
}
