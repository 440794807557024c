use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;

/// This host's own addresses, of every interface.
#[must_use]
pub fn own_addresses() -> Vec<IpAddr> {
    let Ok(interfaces) = getifaddrs() else {
        tracing::error!("the host's own addresses cannot be listed");
        return Vec::new();
    };
    interfaces
        .filter_map(|interface| {
            let address = interface.address?;
            address
                .as_sockaddr_in()
                .map(|v4| IpAddr::V4(v4.ip()))
                .or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
        })
        .collect()
}

/// The name of the interface with this index.
#[must_use]
pub fn name_of(index: u32) -> Option<String> {
    nix::net::if_::if_indextoname(index).ok().map(|name| name.to_string_lossy().into_owned())
}
