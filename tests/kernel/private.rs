//! What decider does not believe of an answer, the kernel does not let Envoy reach either: a name may resolve otherwise
//! for it than it did for the client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use decider::dns::{Belief, Grounds};
use decider::kernel::{Features, Local, QueueStatement, Ruleset};
use ipnet::IpNet;

use crate::ruleset::QUEUES;
use crate::{POLICY, policy};

/// The networks that Envoy's connections are refused to.
fn refused(text: &str) -> Vec<IpNet> {
    let features = Features { queueing: QueueStatement::Native, owned_tables: true };
    let ruleset = Ruleset::plan(&policy(text), &QUEUES, features, 5300, &Local::default()).to_string();
    let lines = ruleset.lines().filter(|line| line.contains("daddr") && line.contains("goto refuse_private_address"));
    let sets = lines.filter_map(|line| Some(line.split_once("{ ")?.1.split_once(" }")?.0));
    sets.flat_map(|set| set.split(", ").map(|network| network.parse().unwrap())).collect()
}

/// An IPv4 address in each of the ways to write one in IPv6.
fn embedded(v4: Ipv4Addr) -> [IpAddr; 6] {
    let low = u128::from(u32::from(v4));
    let base = |prefix: &str| u128::from(prefix.parse::<Ipv6Addr>().unwrap());
    [
        low,
        base("::ffff:0:0") | low,
        base("::ffff:0:0:0") | low,
        base("64:ff9b::") | low,
        base("2002::") | low << 80,
        base("2001::") | low ^ 0xffff_ffff,
    ]
    .map(|bits| Ipv6Addr::from(bits).into())
}

/// An address of each /16, of each /24 of `192.0.0.0/16`, and the last of all; each in every form. And IPv6's own.
fn addresses() -> impl Iterator<Item = IpAddr> {
    let v4 = (0..=0xffff_u32).map(|high| high << 16 | 1).chain((0..=0xff).map(|third| 0xc000_0001 | third << 8));
    let v4 = v4.chain([u32::MAX]).map(Ipv4Addr::from);
    let v6 = (0..=0xffff_u16).map(|first| Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 1));
    let more = ["::", "::1", "64:ff9b:1::1", "64:ff9b:1:ffff::1", "64:ff9b:2::1", "2001:db8::1", "2001:1::1"];
    let more = more.map(|address| address.parse::<IpAddr>().unwrap());
    v4.flat_map(|v4| [v4.into()].into_iter().chain(embedded(v4))).chain(v6.map(IpAddr::V6)).chain(more)
}

fn open(allow_private: bool, networks: &[IpNet]) -> Vec<IpAddr> {
    let grounds = Grounds { allow_private, is_here: false };
    let unbelieved = addresses().filter(|&address| grounds.belief(address) == Belief::Private);
    unbelieved.filter(|address| !networks.iter().any(|network| network.contains(address))).collect()
}

#[test]
fn envoy_reaches_nothing_that_is_not_believed() {
    assert_eq!(open(false, &refused(POLICY)), [] as [IpAddr; 0]);
}

#[test]
fn envoy_reaches_nothing_that_is_never_believed() {
    let allowing = POLICY.replace("  resolvers", "  allow_private: true\n  resolvers");
    assert_eq!(open(true, &refused(&allowing)), [] as [IpAddr; 0]);
}

/// Neither more than that, but for tunnels that nobody should be behind: 6to4 and Teredo.
#[test]
fn envoy_reaches_what_is_believed() {
    let networks = refused(POLICY);
    let tunnels: [IpNet; 2] = ["2002::/16".parse().unwrap(), "2001::/32".parse().unwrap()];
    let grounds = Grounds { allow_private: false, is_here: false };
    let wrong = addresses()
        .filter(|&address| grounds.belief(address) == Belief::Believed)
        .filter(|address| !tunnels.iter().any(|tunnel| tunnel.contains(address)))
        .find(|address| networks.iter().any(|network| network.contains(address)));
    assert_eq!(wrong, None);
}
