use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};

use caps::{CapSet, Capability};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::policy::Policy;
use crate::relay;

use super::options::{Options, StartError};

/// What can be known to fail before anything is touched: rights and numbers.
///
/// # Errors
/// The first thing that is missing.
pub fn rights_and_numbers(options: &Options) -> Result<(), StartError> {
    let may = caps::has_cap(None, CapSet::Effective, Capability::CAP_NET_ADMIN).unwrap_or(false);
    if !may {
        return Err(StartError::NoCapability);
    }
    let count = options.syn_workers.saturating_add(options.dns_workers);
    if options.first_queue.checked_add(count).is_none() {
        return Err(StartError::QueueNumbers { first: options.first_queue, count });
    }
    Ok(())
}

/// Files that the relay needs at most: two for each connection. And as many again for all else.
const FILES: u64 = 4 * relay::limits::CONNECTIONS as u64;

/// Has the system give as many open files as may be needed, if it does not yet: where it gives fewer, connections for DNS
/// over TCP wait for each other.
pub fn room_for_files() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        let wanted = soft.max(FILES.min(hard));
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)
    });
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
}

/// Whether every listener's port can be had. Only to be asked when no Envoy of ours runs already.
///
/// # Errors
/// The first port that another program has.
pub fn listener_ports(policy: &Policy) -> Result<(), StartError> {
    let listen = policy.spec().envoy.listen;
    for route in policy.routes() {
        for host in [IpAddr::V4(listen), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            let address = SocketAddr::new(host, route.listener_port);
            match TcpListener::bind(address) {
                Ok(_) => {}
                // Its Envoy has no such listener either.
                Err(error) if host.is_ipv6() && relay::is_without_ipv6(&error) => {}
                Err(source) => return Err(StartError::Port { address, source }),
            }
        }
    }
    Ok(())
}
