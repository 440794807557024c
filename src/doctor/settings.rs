//! Settings of the kernel (sysctls) that decider does not change, and that other programs do.

use std::collections::BTreeMap;

use super::Finding;

/// The settings, and the interfaces that they are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingFacts {
    /// Values by name as `sysctl` takes it; what the kernel has not is not in it.
    pub values: BTreeMap<String, String>,
    /// Interfaces by which clients come in.
    pub clients: Vec<String>,
    /// The others, but for `lo`.
    pub others: Vec<String>,
    /// Whether there are bridges among the clients' interfaces.
    pub bridges: bool,
    /// Whether clients' questions are forwarded.
    pub beyond: Beyond,
}

/// By which families a trusted resolver is beyond this host, so that clients' questions are forwarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beyond {
    /// IPv4.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
}

impl SettingFacts {
    /// The names of all settings that are looked at, for these interfaces.
    #[must_use]
    pub fn names(interfaces: &[String]) -> Vec<String> {
        let of = |interface: &str| {
            ["rp_filter", "src_valid_mark", "route_localnet"].map(|name| of_interface(interface, name))
        };
        let all = ["all", "lo"].into_iter().chain(interfaces.iter().map(String::as_str));
        let each = all.flat_map(of);
        each.chain(
            [
                "net.ipv6.conf.all.disable_ipv6",
                "net.ipv6.conf.lo.disable_ipv6",
                "net.ipv4.ip_forward",
                "net.ipv6.conf.all.forwarding",
                "net.ipv4.tcp_fwmark_accept",
                "net.netfilter.nf_conntrack_tcp_loose",
                "net.bridge.bridge-nf-call-iptables",
                "net.bridge.bridge-nf-call-ip6tables",
            ]
            .map(str::to_owned),
        )
        .collect()
    }

    fn value(&self, name: &str) -> Option<u32> {
        self.values.get(name)?.trim().parse().ok()
    }

    fn is_on(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value != 0)
    }

    /// One of an interface, with what is set for all; the kernel takes the larger of the two.
    fn largest(&self, interface: &str, name: &str) -> u32 {
        let of = |interface: &str| self.value(&of_interface(interface, name)).unwrap_or(0);
        of("all").max(of(interface))
    }

    /// The command that sets one to 0 for an interface: there, and for all, where it is not yet.
    fn off(&self, interface: &str, name: &str) -> String {
        let set = ["all", interface].into_iter().map(|interface| of_interface(interface, name));
        let set: Vec<String> = set.filter(|name| self.is_on(name)).map(|name| format!("{name}=0")).collect();
        format!("sysctl -w {}", set.join(" "))
    }
}

/// A setting of an interface. What is a dot in its name is written as a slash (sysctl(8)).
fn of_interface(interface: &str, name: &str) -> String {
    format!("net.ipv4.conf.{}.{name}", interface.replace('.', "/"))
}

pub fn examine(facts: &SettingFacts, gateway: bool) -> Vec<Finding> {
    let mut findings = vec![fwmark_accept(facts), ipv6(facts), tcp_loose(facts)];
    if gateway {
        findings.extend([
            forwarding(facts, "settings.forwarding4", "IPv4", "net.ipv4.ip_forward", facts.beyond.v4),
            forwarding(facts, "settings.forwarding6", "IPv6", "net.ipv6.conf.all.forwarding", facts.beyond.v6),
            rp_filter(facts),
            src_valid_mark(facts),
            route_localnet(facts),
            bridge_nf(facts),
        ]);
    }
    findings
}

fn forwarding(facts: &SettingFacts, name: &'static str, family: &str, setting: &str, is_needed: bool) -> Finding {
    match facts.value(setting) {
        None => Finding::ok(name, format!("this host has no {family}")),
        Some(0) if !is_needed => Finding::ok(name, format!("{family} is not forwarded, and need not be")),
        Some(0) => Finding::wrong(
            name,
            format!("{family} is not forwarded, so that clients cannot ask resolvers beyond this host"),
            format!("sysctl -w {setting}=1"),
        ),
        Some(_) => Finding::ok(name, format!("{family} is forwarded")),
    }
}

/// What comes in for a client is looked up in reverse, as if it came from the client without a mark: the lockdown then says
/// that there is no way (`fib_validate_source`, `net/ipv4/fib_frontend.c`).
fn rp_filter(facts: &SettingFacts) -> Finding {
    const NAME: &str = "settings.rp_filter";
    let filtered = facts.others.iter().find(|interface| facts.largest(interface, "rp_filter") != 0);
    match filtered {
        None => Finding::ok(NAME, "reverse paths are not filtered where answers for clients come in"),
        Some(interface) if facts.beyond.v4 => Finding::wrong(
            NAME,
            format!(
                "rp_filter of {interface} drops the answers of resolvers to clients, since clients have no way out"
            ),
            facts.off(interface, "rp_filter"),
        ),
        Some(interface) => Finding::warn(
            NAME,
            format!("rp_filter of {interface} drops connections from outside to clients (published ports)"),
            facts.off(interface, "rp_filter"),
        ),
    }
}

fn src_valid_mark(facts: &SettingFacts) -> Finding {
    const NAME: &str = "settings.src_valid_mark";
    match facts.clients.iter().find(|interface| facts.largest(interface, "src_valid_mark") != 0) {
        None => Finding::ok(NAME, "marks play no part in the filtering of reverse paths"),
        Some(interface) => Finding::wrong(
            NAME,
            format!("src_valid_mark (of wg-quick, for one) has {interface} drop what decider has marked"),
            facts.off(interface, "src_valid_mark"),
        ),
    }
}

fn fwmark_accept(facts: &SettingFacts) -> Finding {
    const NAME: &str = "settings.tcp_fwmark_accept";
    const SETTING: &str = "net.ipv4.tcp_fwmark_accept";
    if facts.is_on(SETTING) {
        let what = "replies of Envoy get the mark of the connection and come back instead of going out";
        Finding::wrong(NAME, what, format!("sysctl -w {SETTING}=0"))
    } else {
        Finding::ok(NAME, "connections that are accepted take over no mark")
    }
}

fn tcp_loose(facts: &SettingFacts) -> Finding {
    const NAME: &str = "settings.tcp_loose";
    let what = if facts.is_on("net.netfilter.nf_conntrack_tcp_loose") {
        "connections may be picked up in the middle; decider's own rules refuse them"
    } else {
        "connections are not picked up in the middle"
    };
    Finding::ok(NAME, what)
}

/// The local addresses come before any routing rule, so the lockdown does not cover them.
fn route_localnet(facts: &SettingFacts) -> Finding {
    const NAME: &str = "settings.route_localnet";
    match facts.clients.iter().find(|interface| facts.largest(interface, "route_localnet") != 0) {
        None => Finding::ok(NAME, "clients cannot write to loopback addresses of this host"),
        Some(interface) => Finding::warn(
            NAME,
            format!("route_localnet of {interface}: only decider's ruleset keeps clients from loopback addresses"),
            facts.off(interface, "route_localnet"),
        ),
    }
}

fn ipv6(facts: &SettingFacts) -> Finding {
    const NAME: &str = "settings.ipv6";
    let is_off = |interface: &str| facts.value(&format!("net.ipv6.conf.{interface}.disable_ipv6"));
    match (is_off("all"), is_off("lo")) {
        (None, _) => Finding::ok(NAME, "this kernel runs without IPv6"),
        (Some(0), Some(1)) => Finding::wrong(
            NAME,
            "IPv6 is on, but not on lo, where the listeners for it are",
            "sysctl -w net.ipv6.conf.lo.disable_ipv6=0",
        ),
        (Some(0), _) => Finding::ok(NAME, "IPv6 is on"),
        (Some(_), _) => Finding::ok(NAME, "IPv6 is off"),
    }
}

fn bridge_nf(facts: &SettingFacts) -> Finding {
    const NAME: &str = "settings.bridge_nf";
    let is_on = facts.is_on("net.bridge.bridge-nf-call-iptables") || facts.is_on("net.bridge.bridge-nf-call-ip6tables");
    match (is_on, facts.bridges) {
        (true, true) => Finding::ok(NAME, "packets of bridges pass netfilter twice (br_netfilter); decider knows that"),
        (true, false) => Finding::ok(NAME, "packets of bridges pass netfilter twice; no client is behind a bridge"),
        (false, _) => Finding::ok(NAME, "packets of bridges pass netfilter once"),
    }
}
