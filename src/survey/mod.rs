//! Looks at this host for `doctor`: each file gathers the facts of one topic. Nothing is changed: what can only be tried is
//! tried in a network namespace that goes away again.

mod daemon;
mod envoy;
mod files;
mod netlink;
mod processes;
mod resolver;
mod settings;
mod sockets;
mod trials;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use caps::{CapSet, Capability};
use jiff::Timestamp;

use crate::clock;
use crate::control::Status;
use crate::daemon::{Options, offline, own_addresses};
use crate::doctor::{
    Beyond, Facts, KernelFacts, Listing, OtherFacts, PolicyFacts, QueueFacts, Rights, SettingFacts, TimeFacts, Unseen,
    has_clients,
};
use crate::kernel::{ALIVE_TABLE, TABLE, list_ruleset, nft_version};
use crate::policy::{Policy, Spec};

/// Where to look.
#[derive(Clone, Debug)]
pub struct Place {
    /// The control socket of the decider that may run.
    pub socket: PathBuf,
    /// Its state directory.
    pub state_dir: PathBuf,
}

/// Looks at everything.
#[must_use]
pub fn survey(policy: PolicyFacts, place: &Place) -> Facts {
    let spec = policy.spec().cloned();
    let compiled = spec.clone().and_then(|spec| offline::compile(spec, &place.state_dir).ok());
    let rights = rights(spec.as_ref());
    let (status, daemon) = daemon::ask(&place.socket);
    let net = netlink::look();
    let links = net.as_ref().map_or(&[][..], |net| &net.links[..]);
    let beyond = spec.as_ref().map_or_else(Beyond::default, beyond);
    let settings = settings::gather(spec.as_ref(), links, beyond);
    Facts {
        kernel: kernel(&rights, compiled.as_ref()),
        nft: nft_version().ok(),
        envoy: compiled.as_ref().map(|compiled| envoy::gather(compiled, status.as_ref())),
        routing: net.map(|net| net.rules),
        others: others(beyond.v4 || beyond.v6),
        resolver: spec.as_ref().map(resolver::gather),
        queues: queues(status.as_ref()),
        files: files::gather(&policy.path, place, spec.as_ref()),
        time: time(&place.state_dir),
        rights,
        settings,
        daemon,
        policy,
    }
}

/// The policy's file, whatever is in it.
///
/// # Errors
/// If it is there and cannot be read.
pub fn read_policy(path: &Path) -> std::io::Result<PolicyFacts> {
    files::read_policy(path)
}

fn rights(spec: Option<&Spec>) -> Rights {
    let mut needed = vec![("CAP_NET_ADMIN", Capability::CAP_NET_ADMIN), ("CAP_NET_RAW", Capability::CAP_NET_RAW)];
    if spec.is_some_and(|spec| spec.envoy.user.is_some()) {
        needed.extend([("CAP_SETUID", Capability::CAP_SETUID), ("CAP_SETGID", Capability::CAP_SETGID)]);
    }
    if spec.is_some_and(|spec| spec.host) {
        needed.push(("CAP_BPF", Capability::CAP_BPF));
    }
    needed.retain(|(_, capability)| !caps::has_cap(None, CapSet::Effective, *capability).unwrap_or(false));
    Rights { uid: nix::unistd::geteuid().as_raw(), missing: needed.into_iter().map(|(name, _)| name).collect() }
}

fn kernel(rights: &Rights, policy: Option<&Policy>) -> KernelFacts {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned();
    KernelFacts { loadable: trials::loadable(&release), trials: trials::all(rights, policy), release }
}

fn others(asks_beyond: bool) -> OtherFacts {
    let nftables = list_ruleset().map(|json| Listing::read(&json, &[TABLE, ALIVE_TABLE]));
    let tables =
        ["ip_tables_names", "ip6_tables_names"].map(|name| std::fs::read_to_string(format!("/proc/net/{name}")));
    let legacy = tables.iter().flatten().flat_map(|text| text.lines()).map(str::to_owned).collect();
    OtherFacts { nftables: nftables.map_err(|error| Unseen(error.to_string())), legacy, asks_beyond }
}

fn queues(status: Option<&Status>) -> QueueFacts {
    let options = Options::default();
    let numbers = options.queues();
    let taken = |name: &str| processes::taken(Path::new("/proc/net/netfilter").join(name).as_path());
    QueueFacts {
        queues: taken("nfnetlink_queue"),
        groups: taken("nfnetlink_log"),
        wanted: *numbers.syn.start()..=*numbers.dns.end(),
        group: options.log_group,
        own: status.map(|status| status.pid),
    }
}

fn time(state_dir: &Path) -> TimeFacts {
    let saved = ["observations.journal", "slots.json"].map(|name| state_dir.join(name));
    let newest = saved.into_iter().filter_map(|path| {
        let written = path.metadata().and_then(|found| found.modified()).ok()?;
        Some((path, Timestamp::try_from(written).ok()?))
    });
    let timesync = Path::new("/run/systemd/timesync");
    TimeFacts {
        now: Timestamp::try_from(clock::wall()).unwrap_or_default(),
        newest_saved: newest.max_by_key(|(_, written)| *written),
        synchronized: timesync.exists().then(|| timesync.join("synchronized").exists()),
    }
}

/// By which families clients' questions go to a resolver that is not on this host.
fn beyond(spec: &Spec) -> Beyond {
    let own = own_addresses();
    let is_beyond = |address: &&IpAddr| !address.is_loopback() && !own.contains(address);
    let mut beyond = spec.dns.resolvers.iter().filter(is_beyond);
    let has_clients = has_clients(spec);
    Beyond { v4: has_clients && beyond.clone().any(IpAddr::is_ipv4), v6: has_clients && beyond.any(IpAddr::is_ipv6) }
}

/// Interfaces by which clients come in, and the others.
fn split(spec: Option<&Spec>, names: impl Iterator<Item = String>) -> (Vec<String>, Vec<String>) {
    let patterns = spec.map_or(&[][..], |spec| &spec.gateway.interfaces);
    names.filter(|name| name != "lo").partition(|name| patterns.iter().any(|pattern| pattern.matches(name)))
}

/// The settings' values.
fn values(interfaces: &[String]) -> std::collections::BTreeMap<String, String> {
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    let read = |name: String| {
        let path: String = name.chars().map(swap).collect();
        let value = std::fs::read_to_string(Path::new("/proc/sys").join(path)).ok()?;
        Some((name, value.trim().to_owned()))
    };
    SettingFacts::names(interfaces).into_iter().filter_map(read).collect()
}
