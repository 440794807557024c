use std::net::IpAddr;

use serde_json::Value;

use crate::doctor::{Cache, ResolverFacts, has_clients};
use crate::policy::Spec;

use super::processes;

pub fn gather(spec: &Spec) -> ResolverFacts {
    ResolverFacts {
        configured: nameservers("/etc/resolv.conf"),
        upstream: nameservers("/run/systemd/resolve/resolv.conf"),
        nss_resolve: asks_resolved(&read("/etc/nsswitch.conf")),
        docker: docker(&read("/etc/docker/daemon.json")),
        caches: caches(),
        trusted: spec.dns.resolvers.clone(),
        host: spec.host,
        gateway: has_clients(spec),
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn nameservers(path: &str) -> Vec<IpAddr> {
    let address = |line: &str| {
        let mut words = line.split_whitespace();
        // An address of a link has its interface behind it.
        let is_it = words.next()? == "nameserver";
        is_it.then(|| words.next()?.split('%').next()?.parse().ok()).flatten()
    };
    read(path).lines().filter_map(address).collect()
}

fn asks_resolved(nsswitch: &str) -> bool {
    let hosts = nsswitch.lines().find_map(|line| line.trim().strip_prefix("hosts:"));
    hosts.is_some_and(|hosts| hosts.split_whitespace().any(|source| source == "resolve"))
}

fn docker(settings: &str) -> Vec<IpAddr> {
    let settings: Value = serde_json::from_str(settings).unwrap_or_default();
    let dns = settings.get("dns").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    dns.iter().filter_map(|address| address.as_str()?.parse().ok()).collect()
}

fn caches() -> Vec<Cache> {
    let here: Vec<String> =
        processes::all().filter(|pid| processes::is_here(*pid)).filter_map(processes::name).collect();
    let runs = |name: &str| here.iter().any(|process| process == name);
    Cache::ALL.into_iter().filter(|(name, _)| runs(name)).map(|(_, cache)| cache).collect()
}
