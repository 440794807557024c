use std::net::IpAddr;

use super::Finding;

/// How names are looked up on this host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolverFacts {
    /// `nameserver`s of /etc/resolv.conf.
    pub configured: Vec<IpAddr>,
    /// Whom systemd-resolved asks, if it runs.
    pub upstream: Vec<IpAddr>,
    /// Whether lookups go to systemd-resolved without DNS (`resolve` among `hosts` of /etc/nsswitch.conf).
    pub nss_resolve: bool,
    /// Whom Docker has containers ask, if that is said in its daemon.json.
    pub docker: Vec<IpAddr>,
    /// Programs on this host that cache answers.
    pub caches: Vec<Cache>,
    /// The resolvers that the policy trusts.
    pub trusted: Vec<IpAddr>,
    /// Whether this host's own processes are covered.
    pub host: bool,
    /// Whether clients are.
    pub gateway: bool,
}

/// A program that caches answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// systemd-resolved.
    Resolved,
    /// unbound.
    Unbound,
    /// dnsmasq.
    Dnsmasq,
    /// nscd.
    Nscd,
}

impl Cache {
    /// Each, by the name of its process.
    pub const ALL: [(&'static str, Self); 4] = [
        ("systemd-resolve", Self::Resolved),
        ("unbound", Self::Unbound),
        ("dnsmasq", Self::Dnsmasq),
        ("nscd", Self::Nscd),
    ];

    const fn flush(self) -> &'static str {
        match self {
            Self::Resolved => "resolvectl flush-caches",
            Self::Unbound => "unbound-control flush_zone .",
            Self::Dnsmasq => "pkill -HUP dnsmasq",
            Self::Nscd => "nscd --invalidate=hosts",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Resolved => "systemd-resolved",
            Self::Unbound => "unbound",
            Self::Dnsmasq => "dnsmasq",
            Self::Nscd => "nscd",
        }
    }
}

pub fn examine(facts: &ResolverFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if facts.gateway {
        findings.push(reachable(facts));
        findings.push(docker(facts));
    }
    findings.push(configured(facts));
    if facts.host {
        findings.push(upstream(facts));
    }
    findings.push(caches(facts));
    findings
}

/// A loopback address is another host for each client.
fn reachable(facts: &ResolverFacts) -> Finding {
    const NAME: &str = "resolver.clients";
    let beyond = facts.trusted.iter().filter(|address| !address.is_loopback());
    match beyond.collect::<Vec<_>>().as_slice() {
        [] => Finding::wrong(
            NAME,
            "all of dns.resolvers are loopback addresses, which mean the client itself to a client",
            "in the policy: dns: { resolvers: [an address that clients can ask] }",
        ),
        [..] => Finding::ok(NAME, format!("clients may ask {}", list(&facts.trusted))),
    }
}

fn docker(facts: &ResolverFacts) -> Finding {
    const NAME: &str = "resolver.docker";
    // Docker hands its own on to containers if there is nothing said, and has 127.0.0.11 ask them.
    match untrusted(&facts.docker, &facts.trusted) {
        Some(other) => Finding::wrong(
            NAME,
            format!("Docker has containers ask {other}, which is not among dns.resolvers"),
            format!("set \"dns\": [{}] in /etc/docker/daemon.json, and restart Docker", quoted(&facts.trusted)),
        ),
        None if facts.docker.is_empty() => Finding::ok(NAME, "Docker is told no resolver of its own"),
        None => Finding::ok(NAME, format!("Docker has containers ask {}", list(&facts.docker))),
    }
}

fn configured(facts: &ResolverFacts) -> Finding {
    const NAME: &str = "resolver.host";
    let Some(other) = untrusted(&facts.configured, &facts.trusted) else {
        return Finding::ok(NAME, format!("this host asks {}", list(&facts.configured)));
    };
    let what = format!("this host asks {other}, which is not among dns.resolvers");
    let mend =
        "in the policy: dns: { resolvers: [..., ".to_owned() + &other.to_string() + "] }, if it is to be believed";
    match (facts.host, other.is_loopback()) {
        (true, _) => Finding::wrong(NAME, format!("{what}: its processes' questions are refused"), mend),
        // Container engines hand on what systemd-resolved asks, or nothing.
        (false, true) => Finding::ok(NAME, format!("{what}; no client can ask it")),
        (false, false) => Finding::warn(NAME, format!("{what}: clients that take over its settings are refused"), mend),
    }
}

fn upstream(facts: &ResolverFacts) -> Finding {
    const NAME: &str = "resolver.upstream";
    match untrusted(&facts.upstream, &facts.trusted) {
        None => Finding::ok(NAME, "whom the local resolver asks is trusted"),
        Some(other) => Finding::wrong(
            NAME,
            format!("systemd-resolved asks {other}, which is not among dns.resolvers: it is refused"),
            format!("in the policy: dns: {{ resolvers: [..., {other}] }}, if it is to be believed"),
        ),
    }
}

fn caches(facts: &ResolverFacts) -> Finding {
    const NAME: &str = "resolver.caches";
    let words: Vec<&str> = facts.caches.iter().map(|cache| cache.word()).collect();
    let words = words.join(", ");
    match (facts.host, facts.caches.as_slice()) {
        (_, []) => Finding::ok(NAME, "no program on this host caches answers"),
        (false, _) => {
            Finding::ok(NAME, format!("{words} caches here; what it answers to clients is seen all the same"))
        }
        (true, caches) => {
            let flush: Vec<&str> = caches.iter().map(|cache| cache.flush()).collect();
            let past = if facts.nss_resolve { ", and it is asked without DNS" } else { "" };
            Finding::warn(
                NAME,
                format!(
                    "{words} may know names from before decider's start{past}: those are refused until asked again"
                ),
                flush.join("; "),
            )
        }
    }
}

fn untrusted(asked: &[IpAddr], trusted: &[IpAddr]) -> Option<IpAddr> {
    asked.iter().copied().find(|address| !trusted.contains(address))
}

fn list(addresses: &[IpAddr]) -> String {
    match addresses {
        [] => "nobody".to_owned(),
        [..] => addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn quoted(addresses: &[IpAddr]) -> String {
    let asked = addresses.iter().filter(|address| !address.is_loopback());
    asked.map(|address| format!("\"{address}\"")).collect::<Vec<_>>().join(", ")
}
