//! Names, rules and addresses, all told from numbers.

use std::collections::HashMap;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use crate::truth::{Action, Name};
use crate::world::Family;

pub const NAMES: Name = 1_000;
/// Addresses of each family that are handed from name to name.
pub const POOL: u16 = 8_000;
/// The first names share the first addresses, and both are asked for all the time. At the others an address is often
/// forgotten before somebody asks again.
pub const BUSY_NAMES: Name = 300;
pub const BUSY_POOL: u16 = 300;
/// The ports of the rules.
pub const SSH: u16 = 22;
pub const DATABASE: u16 = 5432;

/// The numbers of the addresses that a name may have.
pub fn quarter(name: Name) -> Range<u16> {
    if name < BUSY_NAMES { 0..BUSY_POOL } else { BUSY_POOL..POOL }
}

/// What the rules say of a name: of ten names, six are for SSH, one is for the database, one for the database and
/// denied for SSH, one is denied, and one is in no rule.
pub fn rules_of(name: Name) -> HashMap<u16, Action> {
    match name % 10 {
        0..=5 => [(SSH, Action::Allow)].into(),
        6 => [(DATABASE, Action::Allow)].into(),
        7 => [(DATABASE, Action::Allow), (SSH, Action::Deny)].into(),
        8 => [(SSH, Action::Deny)].into(),
        _ => HashMap::new(),
    }
}

/// All rules, by name.
pub fn rules() -> HashMap<Name, HashMap<u16, Action>> {
    (0..NAMES).map(|name| (name, rules_of(name))).filter(|(_, rules)| !rules.is_empty()).collect()
}

/// All rules, as a policy has them.
pub fn policy_rules() -> String {
    let mut text = String::new();
    for name in 0..NAMES {
        for (port, action) in rules_of(name) {
            let action = if action == Action::Allow { "allow" } else { "deny" };
            let (id, domain) = (rule_id(name, port), domain(name));
            write!(text, "\n  - {{ id: {id}, domain: {domain}, proto: tcp, port: {port}, action: {action} }}").unwrap();
        }
    }
    text
}

pub fn rule_id(name: Name, port: u16) -> String {
    format!("rule-{name}-{port}")
}

/// The name whose rule has this id.
pub fn name_of_rule(id: &str) -> Option<Name> {
    id.strip_prefix("rule-")?.split_once('-')?.0.parse().ok()
}

pub fn domain(name: Name) -> String {
    format!("n{name}.churn.example")
}

pub fn name_of_domain(domain: &str) -> Option<Name> {
    domain.strip_prefix('n')?.strip_suffix(".churn.example")?.parse().ok()
}

/// An address that names share in turn.
pub fn pool(family: Family, number: u16) -> IpAddr {
    address(family, 0, number)
}

/// An address that no name ever has.
pub fn stranger(family: Family, number: u16) -> IpAddr {
    address(family, 1, number)
}

/// Where Envoy is told that a name is: each has its own server, so that a connection tells through which listener it came.
pub fn home(family: Family, name: Name) -> IpAddr {
    address(family, 2, name)
}

fn address(family: Family, district: u16, number: u16) -> IpAddr {
    match family {
        Family::V4 => {
            let [high, low] = number.to_be_bytes();
            Ipv4Addr::new(198, 18, u8::try_from(district * 64).unwrap() + high, low).into()
        }
        Family::V6 => Ipv6Addr::new(0x2001, 0xdb8, 0x18, district, 0, 0, 0, number).into(),
    }
}
