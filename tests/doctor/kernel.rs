//! Rights, kernel, tools, settings.

use decider::doctor::{Facts, Feature, Level, Outcome, Rights, Unseen};

use crate::facts::set;
use crate::{Case, check, facts, finding};

const NAMES: [&str; 11] = [
    "kernel.nf_tables",
    "kernel.queue",
    "kernel.tproxy4",
    "kernel.tproxy6",
    "kernel.ct_mark",
    "kernel.ct_events",
    "kernel.policy_routing",
    "kernel.nflog",
    "kernel.raw_sockets",
    "kernel.owned_tables",
    "kernel.ruleset",
];

fn come_to(feature: usize, outcome: Outcome) -> Facts {
    let mut facts = facts::well();
    facts.kernel.trials[feature].outcome = outcome;
    facts
}

#[test]
fn what_the_kernel_refuses_is_wrong_and_names_its_module() {
    for (index, name) in NAMES.into_iter().enumerate() {
        let mut facts = come_to(index, Outcome::Refused("No such file or directory".to_owned()));
        let found = finding(&facts, name);
        // A name then lives no longer than its time, the fast path as long as its lease: that is less, but not wrong.
        let is_less = [Feature::ConntrackEvents, Feature::OwnedTables].contains(&Feature::EACH[index]);
        let wanted = if is_less { Level::Warn } else { Level::Wrong };
        assert_eq!(found.level, wanted, "{found:?}");
        assert!(found.what.contains("No such file"), "{found:?}");
        let Some(module) = Feature::EACH[index].modules().first() else { continue };
        assert!(found.fix.unwrap().contains("kernel 6.1.0"));
        facts.kernel.loadable = vec![(*module).to_owned(), "another".to_owned()];
        assert_eq!(finding(&facts, name).fix, Some(format!("modprobe -a {module}")));
    }
}

#[test]
fn what_was_not_tried_is_said() {
    for (index, name) in NAMES.into_iter().enumerate() {
        let found = finding(&come_to(index, Outcome::NotTried(Unseen("this needs CAP_NET_ADMIN".to_owned()))), name);
        assert_eq!((found.level, found.fix), (Level::Warn, None));
        assert!(found.what.contains("CAP_NET_ADMIN"), "{}", found.what);
    }
    let found = finding(&come_to(1, Outcome::Works(Some("xt".to_owned()))), "kernel.queue");
    assert!(found.what.contains("xt"), "{}", found.what);
}

const RIGHTS: &[Case] = &[
    (
        "rights",
        |facts| facts.rights = Rights { uid: 1000, missing: vec!["CAP_NET_ADMIN"] },
        Level::Warn,
        "user 1000",
        "sudo decider doctor",
    ),
    (
        "rights",
        |facts| facts.rights = Rights { uid: 0, missing: vec!["CAP_NET_RAW"] },
        Level::Wrong,
        "root is without CAP_NET_RAW",
        "CAP_NET_RAW",
    ),
    ("tools.nft", |facts| facts.nft = None, Level::Wrong, "no program", "apt install nftables"),
    (
        "tools.nft",
        |facts| facts.nft = Some("nftables v0.9.8 (E.D.S.)".to_owned()),
        Level::Wrong,
        "0.9.8 is too old",
        "apt install nftables",
    ),
    (
        "tools.nft",
        |facts| facts.nft = Some("nftables v1.0.5 (Lester Gooch #4)".to_owned()),
        Level::Wrong,
        "1.0.6 or newer",
        "apt install nftables",
    ),
    ("tools.nft", |facts| facts.nft = Some("what?".to_owned()), Level::Warn, "what?", "nft --version"),
];

#[test]
fn rights_and_tools() {
    check(RIGHTS);
    for newer in ["nftables v1.0.10 (Old Doc Yak)", "nftables v1.1.0", "nftables v2.0"] {
        let facts = Facts { nft: Some(newer.to_owned()), ..facts::well() };
        assert_eq!(finding(&facts, "tools.nft").level, Level::Ok, "{newer}");
    }
}

const SETTINGS: &[Case] = &[
    (
        "settings.forwarding4",
        |facts| set(facts, "net.ipv4.ip_forward", "0"),
        Level::Wrong,
        "IPv4 is not forwarded",
        "sysctl -w net.ipv4.ip_forward=1",
    ),
    (
        "settings.forwarding6",
        |facts| set(facts, "net.ipv6.conf.all.forwarding", "0"),
        Level::Wrong,
        "IPv6 is not forwarded",
        "sysctl -w net.ipv6.conf.all.forwarding=1",
    ),
    (
        "settings.rp_filter",
        |facts| set(facts, "net.ipv4.conf.eth0.rp_filter", "2"),
        Level::Wrong,
        "eth0",
        "sysctl -w net.ipv4.conf.eth0.rp_filter=0",
    ),
    (
        "settings.rp_filter",
        |facts| set(facts, "net.ipv4.conf.all.rp_filter", "1"),
        Level::Wrong,
        "eth0",
        "sysctl -w net.ipv4.conf.all.rp_filter=0",
    ),
    (
        "settings.rp_filter",
        |facts| {
            facts.settings.beyond.v4 = false;
            set(facts, "net.ipv4.conf.eth0.rp_filter", "1");
        },
        Level::Warn,
        "published ports",
        "net.ipv4.conf.eth0.rp_filter=0",
    ),
    (
        "settings.rp_filter",
        |facts| {
            facts.settings.others = vec!["eth0.100".to_owned()];
            set(facts, "net.ipv4.conf.eth0/100.rp_filter", "1");
        },
        Level::Wrong,
        "eth0.100",
        "net.ipv4.conf.eth0/100.rp_filter=0",
    ),
    (
        "settings.src_valid_mark",
        |facts| set(facts, "net.ipv4.conf.all.src_valid_mark", "1"),
        Level::Wrong,
        "wg-quick",
        "sysctl -w net.ipv4.conf.all.src_valid_mark=0",
    ),
    (
        "settings.tcp_fwmark_accept",
        |facts| set(facts, "net.ipv4.tcp_fwmark_accept", "1"),
        Level::Wrong,
        "replies of Envoy",
        "sysctl -w net.ipv4.tcp_fwmark_accept=0",
    ),
    (
        "settings.route_localnet",
        |facts| set(facts, "net.ipv4.conf.br-1.route_localnet", "1"),
        Level::Warn,
        "br-1",
        "sysctl -w net.ipv4.conf.br-1.route_localnet=0",
    ),
    (
        "settings.ipv6",
        |facts| set(facts, "net.ipv6.conf.lo.disable_ipv6", "1"),
        Level::Wrong,
        "not on lo",
        "sysctl -w net.ipv6.conf.lo.disable_ipv6=0",
    ),
];

#[test]
fn settings_that_get_in_the_way() {
    check(SETTINGS);
}

/// A check, and facts that it has nothing against.
type Harmless = (&'static str, fn(&mut Facts));

/// They look odd, and do no harm.
#[test]
fn settings_that_do_no_harm() {
    let harmless: [Harmless; 8] = [
        ("settings.rp_filter", |facts| set(facts, "net.ipv4.conf.br-1.rp_filter", "1")),
        ("settings.src_valid_mark", |facts| set(facts, "net.ipv4.conf.eth0.src_valid_mark", "1")),
        ("settings.route_localnet", |facts| set(facts, "net.ipv4.conf.eth0.route_localnet", "1")),
        ("settings.bridge_nf", |facts| set(facts, "net.bridge.bridge-nf-call-iptables", "1")),
        ("settings.tcp_loose", |facts| set(facts, "net.netfilter.nf_conntrack_tcp_loose", "0")),
        ("settings.ipv6", |facts| set(facts, "net.ipv6.conf.all.disable_ipv6", "1")),
        ("settings.ipv6", |facts| facts.settings.values.retain(|name, _| !name.starts_with("net.ipv6"))),
        ("settings.forwarding4", |facts| {
            facts.settings.beyond.v4 = false;
            set(facts, "net.ipv4.ip_forward", "0");
        }),
    ];
    for (name, change) in harmless {
        let mut facts = facts::well();
        change(&mut facts);
        let found = finding(&facts, name);
        assert_eq!(found.level, Level::Ok, "{found:?}");
    }
}
