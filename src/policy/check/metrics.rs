use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::policy::code::Code;
use crate::policy::fields::Fields;
use crate::policy::keys;
use crate::policy::node::Scalar;
use crate::policy::problems::{Fault, shown};
use crate::policy::spec::Listen;
use crate::policy::value::{is_mapped, socket};

/// Ports below are for whoever has `CAP_NET_BIND_SERVICE`, which decider gives up.
const LEAST_PORT: u16 = 1024;

/// Reads `metrics`, where it is there.
pub fn check(policy: &Fields<'_, '_>) -> Option<Listen> {
    let metrics = policy.section(&keys::METRICS, "metrics")?;
    metrics.require("listen", "say where metrics are given: `listen: 127.0.0.1:9533`");
    metrics.scalar("listen", listen)
}

const HELP: &str =
    "write address and port, as in `127.0.0.1:9533` or \"[::1]:9533\", or `unix:/run/decider/metrics.sock`";

fn listen(scalar: &Scalar<'_>) -> Result<Listen, Fault> {
    let text = &*scalar.text;
    if let Some(path) = text.strip_prefix("unix:") {
        return socket(path).map(Listen::Unix);
    }
    let address: SocketAddr = text.parse().map_err(|_| not_an_address(text))?;
    let bad = |what: &str| Err(Fault::new(Code::BadAddress, format!("{} is {what}", shown(text))).help(HELP));
    match address.ip() {
        ip if is_mapped(ip) => bad("IPv4 in IPv6: write it as an IPv4 address"),
        ip if ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST) => bad("no host's address"),
        IpAddr::V6(ip) if ip.is_unicast_link_local() => {
            bad("a link-local address, which means another host on every interface")
        }
        _ if address.port() < LEAST_PORT => {
            let message = format!("port {} is not for metrics: it must be {LEAST_PORT} to 65535", address.port());
            Err(Fault::new(Code::OutOfRange, message).help(HELP))
        }
        IpAddr::V4(_) | IpAddr::V6(_) => Ok(Listen::Tcp(address)),
    }
}

fn not_an_address(text: &str) -> Fault {
    if let Ok(address) = text.parse::<IpAddr>() {
        let written = SocketAddr::new(address, 9533).to_string();
        let fault = Fault::new(Code::BadAddress, format!("{} has no port", shown(text)));
        return fault.help(format!("write \"{written}\", or another port"));
    }
    Fault::new(Code::BadAddress, format!("{} is not an address with a port", shown(text))).help(HELP)
}
