use std::net::Ipv4Addr;
use std::path::PathBuf;

use crate::policy::code::Code;
use crate::policy::fields::Fields;
use crate::policy::keys;
use crate::policy::node::Scalar;
use crate::policy::problems::{Fault, shown};
use crate::policy::spec::{EnvoySpec, User};
use crate::policy::value::{boolean, directory, loopback, number, program};

const CONFIG_DIR: &str = "/run/decider/envoy";
const FIRST_PORT: u16 = 15100;
/// Ports below 1024 are for services that a machine has anyway (IANA system ports, RFC 6335, section 6), and the one in front
/// of the first is the relay's.
const LEAST_PORT: u64 = 1025;

/// A name is as long as `utmp` has room for (`useradd(8)`).
const LONGEST_USER: usize = 32;
/// Not a user: what the kernel's calls take for "unchanged" (`setreuid(2)`).
const NO_USER: u32 = u32::MAX;

/// Reads `envoy`, which may be missing. Where this `host` itself is covered, Envoy's user is needed.
pub fn check(policy: &Fields<'_, '_>, host: bool) -> Option<EnvoySpec> {
    if !policy.has("envoy") {
        if host {
            policy.require("envoy", USER_NEEDED);
            return None;
        }
        return Some(EnvoySpec {
            manage: false,
            binary: None,
            user: None,
            config_dir: PathBuf::from(CONFIG_DIR),
            listen: Ipv4Addr::LOCALHOST,
            first_port: FIRST_PORT,
        });
    }
    let envoy = policy.section(&keys::ENVOY, "envoy")?;
    let manage = envoy.or("manage", false, boolean);
    let binary = envoy.or("binary", None, |scalar| program(scalar).map(Some));
    let user = envoy.or("user", None, |scalar| user(scalar).map(Some));
    if host {
        envoy.require("user", USER_NEEDED);
    }
    let config_dir = envoy.or("config_dir", PathBuf::from(CONFIG_DIR), directory);
    let listen = envoy.or("listen", Ipv4Addr::LOCALHOST, loopback);
    let first_port = envoy.or("first_port", FIRST_PORT, listener_port);
    for key in ["binary", "user"] {
        // Without decider's doing, the user is what it knows Envoy's own connections by.
        if manage == Some(false) && envoy.has(key) && !(host && key == "user") {
            let fault = Fault::new(Code::NoEffect, format!("`{key}` changes nothing: decider does not start Envoy"));
            let help = format!("write `manage: true`, or take `{key}` out");
            policy.problems().warning(envoy.value_span(key), fault.help(help));
        }
    }
    Some(EnvoySpec {
        manage: manage?,
        binary: binary?,
        user: user?,
        config_dir: config_dir?,
        listen: listen?,
        first_port: first_port?,
    })
}

const USER_NEEDED: &str =
    "give Envoy a user of its own, as in `envoy: { user: decider-envoy }`: its connections are known by that";

/// A name as `useradd(8)` takes it, or a number.
fn user(scalar: &Scalar<'_>) -> Result<User, Fault> {
    let text = &*scalar.text;
    let help = "write the name of a user of this host, as in `decider-envoy`, or a user's number";
    let bad = || Err(Fault::new(Code::BadUser, format!("{} is not a user", shown(text))).help(help));
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        return text.parse().ok().filter(|&id| id != NO_USER).map_or_else(bad, |id| Ok(User::Id(id)));
    }
    let is_first = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
    let is_next = |byte: &u8| is_first(byte) || byte.is_ascii_digit() || *byte == b'-';
    let is_name =
        text.as_bytes().split_first().is_some_and(|(first, rest)| is_first(first) && rest.iter().all(is_next));
    if is_name && text.len() <= LONGEST_USER { Ok(User::Name(text.to_owned())) } else { bad() }
}

fn listener_port(scalar: &Scalar<'_>) -> Result<u16, Fault> {
    let found = number(LEAST_PORT..=u64::from(u16::MAX), "port for listeners")(scalar)?;
    Ok(u16::try_from(found).unwrap_or(FIRST_PORT))
}
