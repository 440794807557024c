use std::fmt;

use crate::model::MarkMask;
use crate::policy::{Mode, Policy};

use super::program::program;

/// A network interface, as the kernel lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its index.
    pub index: i32,
    /// Its name.
    pub name: String,
    /// Whether it leads back to this host.
    pub is_loopback: bool,
}

/// What holds the door while the ruleset is gone: one program on each interface by which something can leave the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackstopPlan {
    /// The bits by which the program knows what the ruleset let through.
    pub marks: MarkMask,
    /// Where it is.
    pub links: Vec<Link>,
}

impl BackstopPlan {
    /// The plan of a policy on a host with these interfaces; none where nothing of the host's own is refused.
    #[must_use]
    pub fn new(policy: &Policy, links: &[Link]) -> Option<Self> {
        let spec = policy.spec();
        let links = links.iter().filter(|link| !link.is_loopback).cloned().collect();
        (spec.host && spec.mode == Mode::Enforce).then_some(Self { marks: spec.marks, links })
    }
}

impl fmt::Display for BackstopPlan {
    /// The `tc` commands that would do the same with the program in a file, and the program in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Link { name, .. } in &self.links {
            writeln!(f, "tc qdisc add dev {name} clsact")?;
            writeln!(
                f,
                "tc filter add dev {name} egress pref 1 handle 0x14b4 bpf direct-action object-file decider.o"
            )?;
        }
        for step in program(self.marks, None) {
            let indent = if matches!(step, super::assembler::Step::Here(_)) { "" } else { "    " };
            writeln!(f, "# {indent}{step}")?;
        }
        Ok(())
    }
}
