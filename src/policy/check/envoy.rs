use std::net::Ipv4Addr;
use std::path::PathBuf;

use crate::policy::code::Code;
use crate::policy::fields::Fields;
use crate::policy::keys;
use crate::policy::node::Scalar;
use crate::policy::problems::Fault;
use crate::policy::spec::EnvoySpec;
use crate::policy::value::{boolean, directory, loopback, number, program};

const CONFIG_DIR: &str = "/run/decider/envoy";
const FIRST_PORT: u16 = 15100;
/// Ports below 1024 are for services that a machine has anyway (IANA system ports, RFC 6335, section 6), and the one in front
/// of the first is the relay's.
const LEAST_PORT: u64 = 1025;

/// Reads `envoy`, which may be missing.
pub fn check(policy: &Fields<'_, '_>) -> Option<EnvoySpec> {
    if !policy.has("envoy") {
        return Some(EnvoySpec {
            manage: false,
            binary: None,
            config_dir: PathBuf::from(CONFIG_DIR),
            listen: Ipv4Addr::LOCALHOST,
            first_port: FIRST_PORT,
        });
    }
    let envoy = policy.section(&keys::ENVOY, "envoy")?;
    let manage = envoy.or("manage", false, boolean);
    let binary = envoy.or("binary", None, |scalar| program(scalar).map(Some));
    let config_dir = envoy.or("config_dir", PathBuf::from(CONFIG_DIR), directory);
    let listen = envoy.or("listen", Ipv4Addr::LOCALHOST, loopback);
    let first_port = envoy.or("first_port", FIRST_PORT, listener_port);
    if manage == Some(false) && envoy.has("binary") {
        let fault = Fault::new(Code::NoEffect, "`binary` changes nothing: decider does not start Envoy");
        policy.problems().warning(envoy.value_span("binary"), fault.help("write `manage: true`, or take `binary` out"));
    }
    Some(EnvoySpec {
        manage: manage?,
        binary: binary?,
        config_dir: config_dir?,
        listen: listen?,
        first_port: first_port?,
    })
}

fn listener_port(scalar: &Scalar<'_>) -> Result<u16, Fault> {
    let found = number(LEAST_PORT..=u64::from(u16::MAX), "port for listeners")(scalar)?;
    Ok(u16::try_from(found).unwrap_or(FIRST_PORT))
}
