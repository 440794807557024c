use std::net::{Ipv6Addr, TcpListener};

use rustix::process::{Resource, Rlimit};

use super::host::{Families, Host};

/// This host, as an Envoy that is started here finds it.
pub fn host() -> Host {
    let families = if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() { Families::Both } else { Families::V4Only };
    let open_files = open_files().current.unwrap_or(u64::MAX);
    Host { families, open_files }
}

/// Gives this process, and those that it starts from now on, as many open files as Envoy can make use of: services are often
/// started with room for 1024. Another user's limit could not be raised from here.
pub fn raise() {
    if let Err(error) = rustix::process::setrlimit(Resource::Nofile, open_files()) {
        tracing::warn!(%error, "Envoy's limit of open files cannot be raised: it may end when there are many connections");
    }
}

/// What may be had without further rights: all that the hard limit allows.
fn open_files() -> Rlimit {
    let hard = rustix::process::getrlimit(Resource::Nofile).maximum;
    let current = hard.map_or(Host::ENOUGH_FILES, |hard| hard.min(Host::ENOUGH_FILES));
    Rlimit { current: Some(current), maximum: hard }
}
