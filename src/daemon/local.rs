use std::collections::BTreeSet;
use std::path::Path;

use nix::unistd::geteuid;

use crate::envoy::{Account, EnvoyError};
use crate::kernel::Local;
use crate::policy::Spec;

/// Where the kernel lists the TCP sockets of this network namespace (`proc_net_tcp.rst`).
const SOCKETS: [&str; 2] = ["/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"];
/// `TCP_LISTEN` (`include/net/tcp_states.h`), as it is written there.
const LISTENS: &str = "0A";

/// Who on this host is what, as far as a policy's ruleset depends on it.
///
/// # Errors
/// If the user that the policy names for Envoy cannot be had.
pub fn local(spec: &Spec) -> Result<Local, EnvoyError> {
    if !spec.host {
        return Ok(Local::default());
    }
    let envoy = spec.envoy.user.as_ref().map(Account::find).transpose()?;
    let served: BTreeSet<u16> = SOCKETS.into_iter().flat_map(|path| served(Path::new(path))).collect();
    Ok(Local {
        own_uid: geteuid().as_raw(),
        envoy_uid: envoy.map(|account| account.uid),
        served: served.into_iter().collect(),
    })
}

fn served(path: &Path) -> Vec<u16> {
    // A family that is not there serves nothing.
    let listing = std::fs::read_to_string(path).unwrap_or_default();
    listing.lines().filter_map(listening_port).collect()
}

/// The port of a socket that listens: number, `ADDRESS:PORT` in hexadecimal, the other end, state.
fn listening_port(line: &str) -> Option<u16> {
    let mut fields = line.split_whitespace().skip(1);
    let (own, state) = (fields.next()?, fields.nth(1)?);
    let (_, port) = own.rsplit_once(':')?;
    if state == LISTENS { u16::from_str_radix(port, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_are_served_are_read_in_both_families() {
        let header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when";
        let v4 = "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000";
        let v6 = "   1: 00000000000000000000000001000000:13E2 00000000000000000000000000000000:0000 0A 00000000";
        let open = "   2: 0100007F:0016 0100007F:C350 01 00000000:00000000 00:00000000";
        let found: Vec<Option<u16>> = [header, v4, v6, open, ""].into_iter().map(listening_port).collect();
        assert_eq!(found, [None, Some(22), Some(5090), None, None]);
    }
}
