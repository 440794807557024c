use std::collections::BTreeSet;

use nix::unistd::geteuid;
use procfs::net::{TcpState, tcp, tcp6};

use crate::envoy::{Account, EnvoyError};
use crate::kernel::Local;
use crate::policy::Spec;

/// Who on this host is what, as far as a policy's ruleset depends on it.
///
/// # Errors
/// If the user that the policy names for Envoy cannot be had.
pub fn local(spec: &Spec) -> Result<Local, EnvoyError> {
    if !spec.host {
        return Ok(Local::default());
    }
    let envoy = spec.envoy.user.as_ref().map(Account::find).transpose()?;
    // A family that is not there serves nothing.
    let sockets = [tcp(), tcp6()].into_iter().flatten().flatten();
    let served: BTreeSet<u16> =
        sockets.filter(|socket| socket.state == TcpState::Listen).map(|socket| socket.local_address.port()).collect();
    Ok(Local {
        own_uid: geteuid().as_raw(),
        envoy_uid: envoy.map(|account| account.uid),
        served: served.into_iter().collect(),
    })
}
