use nix::ifaddrs::getifaddrs;
use nix::net::if_::{InterfaceFlags, if_nametoindex};

use super::KernelError;
use super::backstop::Link;

/// The network interfaces that there are.
///
/// # Errors
/// If they cannot be listed.
pub fn links() -> Result<Vec<Link>, KernelError> {
    let failed = |errno: nix::Error| KernelError::netlink("list the interfaces", errno.into());
    let mut found: Vec<Link> = Vec::new();
    // An entry for each of its addresses, that of the link itself among them.
    for entry in getifaddrs().map_err(failed)? {
        let is_new = !found.iter().any(|link| link.name == entry.interface_name);
        // One that has no number has gone meanwhile.
        if is_new && let Ok(index) = if_nametoindex(entry.interface_name.as_str()).map(i32::try_from) {
            let is_loopback = entry.flags.contains(InterfaceFlags::IFF_LOOPBACK);
            found.push(Link { index: index.unwrap_or(i32::MAX), name: entry.interface_name, is_loopback });
        }
    }
    Ok(found)
}
