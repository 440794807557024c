use std::fmt;

use crate::model::MarkMask;

use super::{Finding, Seen};

/// A routing rule (`ip rule`) that is not decider's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignRule {
    /// Whether it is of IPv6.
    pub v6: bool,
    /// Its preference.
    pub preference: u32,
    /// The interface that packets have to come in by.
    pub interface: Option<String>,
    /// The mark that they have to have, and the bits that are compared.
    pub mark: Option<(u32, u32)>,
    /// The network that they have to come from.
    pub from: Option<String>,
    /// The network that they have to go to.
    pub to: Option<String>,
    /// Whether it is for those that all of this is not true of.
    pub inverted: bool,
    /// The table that they are looked up in; none if it does something else.
    pub table: Option<u32>,
}

/// The preferences of decider's own rules, first and last.
pub const OWN: (u32, u32) = (530, 534);

pub fn examine(rules: &Seen<Vec<ForeignRule>>, marks: MarkMask, clients: &[String]) -> Vec<Finding> {
    const NAMES: [&str; 2] = ["routing.order", "routing.marks"];
    match rules {
        Ok(rules) => vec![order(NAMES[0], rules, clients), overlap(NAMES[1], rules, marks)],
        Err(unseen) => vec![Finding::unseen(NAMES[0], "routing rules", unseen)],
    }
}

/// Rules in front of decider's that what comes in from clients may meet.
fn order(name: &'static str, rules: &[ForeignRule], clients: &[String]) -> Finding {
    let catches = |rule: &&ForeignRule| {
        let of_clients = rule.interface.as_ref().is_none_or(|interface| clients.contains(interface));
        // The first of all leads to this host's own addresses.
        rule.preference > 0 && rule.preference < OWN.0 && rule.table.is_some() && (of_clients || rule.inverted)
    };
    match rules.iter().find(catches) {
        None => Finding::ok(name, format!("no routing rule comes before decider's ({} to {})", OWN.0, OWN.1)),
        Some(rule) => {
            let behind = ForeignRule { preference: rule.preference + 1000, ..rule.clone() };
            Finding::wrong(
                name,
                format!("\"{rule}\" comes before decider's rules: what it catches of clients goes where it says"),
                format!("ip{v} rule add {behind}; ip{v} rule del {rule}", v = if rule.v6 { " -6" } else { "" }),
            )
        }
    }
}

/// Rules by a mark in decider's bits.
fn overlap(name: &'static str, rules: &[ForeignRule], marks: MarkMask) -> Finding {
    let overlapping = |rule: &&ForeignRule| rule.mark.is_some_and(|(value, bits)| value & bits & marks.bits() != 0);
    match rules.iter().find(overlapping) {
        None => Finding::ok(name, format!("no other routing rule has marks in {marks}")),
        Some(rule) => {
            let taken = rules.iter().filter_map(|rule| rule.mark).fold(0, |all, (value, bits)| all | (value & bits));
            Finding::warn(
                name,
                format!("\"{rule}\" has a mark in decider's bits ({marks})"),
                super::marks::another(marks, taken),
            )
        }
    }
}

impl fmt::Display for ForeignRule {
    /// As `ip rule add` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pref {}", self.preference)?;
        if self.inverted {
            f.write_str(" not")?;
        }
        if let Some(from) = &self.from {
            write!(f, " from {from}")?;
        }
        if let Some(to) = &self.to {
            write!(f, " to {to}")?;
        }
        if let Some((value, bits)) = self.mark {
            write!(f, " fwmark 0x{value:x}/0x{bits:x}")?;
        }
        if let Some(interface) = &self.interface {
            write!(f, " iif {interface}")?;
        }
        self.table.map_or(Ok(()), |table| write!(f, " lookup {table}"))
    }
}
