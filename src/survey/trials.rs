//! Tries each feature of the kernel, in a network namespace made for it, so that nothing of it is ever to be seen.

use std::io;
use std::thread;

use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};
use rtnetlink::LinkUnspec;

use crate::daemon::{Options, offline};
use crate::doctor::{Feature, Outcome, Rights, Trial, Unseen};
use crate::kernel::{
    Conntrack, Features, KernelError, Nft, Presence, RefusalLog, Routing, RoutingPlan, Ruleset, conntrack_is_silent,
    interface_names, try_ruleset,
};
use crate::policy::Policy;

/// Where features are tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// In a namespace of their own: whatever is made there goes with it.
    Own,
    /// Here, where nothing may be made.
    Here,
}

/// Tries all of them; without the rights to, none.
pub fn all(rights: &Rights, policy: Option<&Policy>) -> Vec<Trial> {
    let is_there = |feature: &Feature| *feature != Feature::Ruleset || policy.is_some();
    let features = Feature::EACH.into_iter().filter(is_there);
    if !rights.missing.is_empty() {
        let why = Unseen(format!("this needs {}", rights.missing.join(" and ")));
        return features.map(|feature| Trial { feature, outcome: Outcome::NotTried(why.clone()) }).collect();
    }
    // Those of the real namespace: elsewhere they may be on.
    let silent = conntrack_is_silent();
    let tried = thread::scope(|scope| {
        let all = scope.spawn(|| {
            let ground = if unshare(CloneFlags::CLONE_NEWNET).is_ok() { Ground::Own } else { Ground::Here };
            let outcome = |feature| match (feature, &silent) {
                (Feature::ConntrackEvents, Some(why)) => Outcome::Refused(why.clone()),
                (feature, _) => attempt(feature, ground, policy),
            };
            features.map(|feature| Trial { feature, outcome: outcome(feature) }).collect()
        });
        all.join()
    });
    tried.unwrap_or_default()
}

fn attempt(feature: Feature, ground: Ground, policy: Option<&Policy>) -> Outcome {
    match feature {
        Feature::NfTables => ruleset(""),
        Feature::Queue => match Nft::probe() {
            Ok(statement) => Outcome::Works(Some(statement.as_str().to_owned())),
            Err(error) => refused(&error),
        },
        Feature::Tproxy4 => ruleset("meta nfproto ipv4 meta l4proto tcp tproxy ip to 127.0.0.1:1"),
        Feature::Tproxy6 => ruleset("meta nfproto ipv6 meta l4proto tcp tproxy ip6 to [::1]:1"),
        Feature::ConntrackMarks => ruleset("ct mark set meta mark and 0xff"),
        Feature::ConntrackEvents => outcome(&Conntrack::open().map(drop)),
        Feature::PolicyRouting if ground == Ground::Own => outcome(&routing(policy)),
        Feature::PolicyRouting => {
            Outcome::NotTried(Unseen("this process may make no network namespace to try it in".to_owned()))
        }
        Feature::Nflog if ground == Ground::Own => {
            outcome(&RefusalLog::open(Options::default().log_group, false).map(drop))
        }
        Feature::Nflog => ruleset("log group 1"),
        Feature::RawSockets => match raw_sockets() {
            Ok(()) => Outcome::Works(None),
            Err(error) => Outcome::Refused(error.to_string()),
        },
        Feature::OwnedTables => match Presence::probe() {
            Ok(()) => Outcome::Works(None),
            Err(error) => Outcome::Refused(error.to_string()),
        },
        Feature::Ruleset => policy.map_or(Outcome::Works(None), |policy| whole(policy, ground)),
    }
}

/// A rule in a chain at the hook where most of decider's are.
fn ruleset(rule: &str) -> Outcome {
    let text = format!(
        "table inet decider_probe {{\n\tchain c {{\n\t\ttype filter hook prerouting priority -150;\n\t\t{rule}\n\t}}\n}}\n"
    );
    said(try_ruleset(&text))
}

fn whole(policy: &Policy, ground: Ground) -> Outcome {
    let options = Options::default();
    let features = match Features::probe() {
        Ok(features) => features,
        Err(error) => return refused(&error),
    };
    let ruleset = Ruleset::plan(policy, &options.queues(), features, options.log_group, &offline::local(policy));
    match ground {
        Ground::Own => outcome(&Nft::apply(&ruleset).map(drop)),
        Ground::Here => said(try_ruleset(&ruleset.to_string())),
    }
}

fn routing(policy: Option<&Policy>) -> Result<(), KernelError> {
    let failed = |source| KernelError::netlink("use the network", source);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(failed)?;
    runtime.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection().map_err(failed)?;
        tokio::spawn(connection);
        let up = LinkUnspec::new_with_name("lo").up().build();
        let set = handle.link().set(up).execute().await;
        set.map_err(|error| failed(io::Error::other(error.to_string())))?;
        let routing = Routing::connect()?;
        match policy {
            Some(policy) => routing.ensure(&RoutingPlan::new(policy, &interface_names())).await.map(drop),
            None => routing.remove_all().await.map(drop),
        }
    })
}

fn raw_sockets() -> nix::Result<()> {
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::Raw)?;
    }
    Ok(())
}

fn said(result: Result<Option<String>, KernelError>) -> Outcome {
    match result {
        Ok(None) => Outcome::Works(None),
        Ok(Some(why)) => Outcome::Refused(why),
        Err(error) => refused(&error),
    }
}

fn outcome(result: &Result<(), KernelError>) -> Outcome {
    result.as_ref().map_or_else(refused, |()| Outcome::Works(None))
}

/// Without nft nothing was asked of the kernel.
fn refused(error: &KernelError) -> Outcome {
    match error {
        KernelError::NoNft(_) => Outcome::NotTried(Unseen(error.to_string())),
        other => Outcome::Refused(other.to_string()),
    }
}

/// Modules that features are in, and that are installed for a kernel but not loaded.
pub fn loadable(release: &str) -> Vec<String> {
    let installed = std::fs::read_to_string(format!("/lib/modules/{release}/modules.dep")).unwrap_or_default();
    let loaded = std::fs::read_to_string("/proc/modules").unwrap_or_default();
    let is_loaded = |module: &str| loaded.lines().any(|line| line.split(' ').next() == Some(module));
    let names = installed.lines().filter_map(|line| {
        let file = line.split(':').next()?.rsplit('/').next()?;
        file.split(".ko").next().map(|name| name.replace('-', "_"))
    });
    names.filter(|name| !is_loaded(name)).collect()
}
