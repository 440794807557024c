use std::net::IpAddr;

use decider::dns::{Belief, Grounds};

const PUBLIC: Grounds = Grounds { allow_private: false, is_here: false };
const PRIVATE_TOO: Grounds = Grounds { allow_private: true, is_here: false };

fn beliefs(grounds: Grounds, addresses: &[&str]) -> Vec<(String, Belief)> {
    addresses.iter().map(|text| ((*text).to_owned(), grounds.belief(text.parse::<IpAddr>().unwrap()))).collect()
}

fn all(belief: Belief, addresses: &[&str]) -> Vec<(String, Belief)> {
    addresses.iter().map(|text| ((*text).to_owned(), belief)).collect()
}

/// Of the internet, or what stands for it in tests.
const OUTSIDE: [&str; 12] = [
    "1.1.1.1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "100.128.0.1",
    "172.32.0.1",
    "2001:db8::1",
    "2606:4700::1111",
    "64:ff9b::101:101",
    "2002:101:101::1",
    "2a00::ffff:a00:1",
];

/// Inside of a network: believed where the policy says so.
const INSIDE: [&str; 17] = [
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.0.8",
    "240.0.0.1",
    "fd00::1",
    "fc00::1",
    "fe80::1",
    "fec0::1",
    "64:ff9b::a00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:c0a8:101::1",
    "2001:0:1:2:3:4:f5ff:fffe",
];

/// Where no name is ever meant to be.
const NOWHERE: [&str; 17] = [
    "0.0.0.0",
    "0.1.2.3",
    "127.0.0.1",
    "127.255.255.255",
    "224.0.0.1",
    "239.255.255.255",
    "255.255.255.255",
    "::",
    "::1",
    "ff02::1",
    "::ffff:1.1.1.1",
    "::ffff:10.0.0.1",
    "::1.1.1.1",
    "::ffff:0:1.1.1.1",
    "64:ff9b::7f00:1",
    "64:ff9b::e000:1",
    "2002:7f00:1::1",
];

#[test]
fn an_address_of_the_internet_is_believed() {
    assert_eq!(beliefs(PUBLIC, &OUTSIDE), all(Belief::Believed, &OUTSIDE));
    assert_eq!(beliefs(PRIVATE_TOO, &OUTSIDE), all(Belief::Believed, &OUTSIDE));
}

#[test]
fn a_private_address_is_believed_if_the_policy_says_so() {
    assert_eq!(beliefs(PUBLIC, &INSIDE), all(Belief::Private, &INSIDE));
    assert_eq!(beliefs(PRIVATE_TOO, &INSIDE), all(Belief::Believed, &INSIDE));
}

#[test]
fn some_addresses_are_never_believed() {
    assert_eq!(beliefs(PUBLIC, &NOWHERE), all(Belief::Private, &NOWHERE));
    assert_eq!(beliefs(PRIVATE_TOO, &NOWHERE), all(Belief::Private, &NOWHERE));
}

#[test]
fn this_hosts_own_addresses_are_never_believed() {
    for grounds in [PUBLIC, PRIVATE_TOO] {
        let here = Grounds { is_here: true, ..grounds };
        assert_eq!(beliefs(here, &OUTSIDE), all(Belief::Private, &OUTSIDE));
        assert_eq!(beliefs(here, &INSIDE), all(Belief::Private, &INSIDE));
    }
}
