use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::binary;
use super::error::EnvoyError;
use crate::policy::EnvoySpec;

/// The one capability that Envoy needs: for transparent listeners and for marks on its own connections.
const CAPABILITY: &str = "-all,+net_admin";

/// What is started, and whom it runs as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The Envoy program.
    pub binary: PathBuf,
    /// None: whom decider runs as, with all that it may do.
    pub account: Option<Account>,
}

impl Program {
    /// Finds the program and the user that a policy wants, and tries that they go together.
    ///
    /// # Errors
    /// What is missing.
    pub fn find(spec: &EnvoySpec) -> Result<Self, EnvoyError> {
        let account = spec.user.as_ref().map(Account::find).transpose()?;
        if account.is_some() && binary::in_path("setpriv").is_none() {
            return Err(EnvoyError::NoSetpriv);
        }
        let program = Self { binary: binary::find(spec)?, account };
        binary::check(&program.binary, program.command())?;
        Ok(program)
    }

    /// The command that starts it, for its own arguments to follow. A user other than decider's comes with one capability
    /// and no way to have more.
    #[must_use]
    pub fn command(&self) -> Command {
        let Some(Account { uid, gid }) = self.account else { return Command::new(&self.binary) };
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).args(["--clear-groups", "--no-new-privs"]);
        command.args(["inh-caps", "ambient-caps", "bounding-set"].map(|set| format!("--{set}={CAPABILITY}")));
        command.arg("--").arg(&self.binary);
        command
    }
}
