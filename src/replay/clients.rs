use std::collections::HashSet;
use std::net::IpAddr;

use crate::dns::{Belief, Grounds};
use crate::policy::Spec;

/// Senders that are remembered as ones that asked a resolver of the policy.
const MOST_ASKERS: usize = 65_536;

/// Whose connections are decided. A capture does not say by which interface anything came, so it is asked by address.
#[derive(Debug, Default)]
pub struct Clients {
    /// Only these, if there are any.
    named: Vec<IpAddr>,
    /// This host's own.
    here: Vec<IpAddr>,
    /// Who asked a resolver of the policy.
    askers: HashSet<IpAddr>,
}

impl Clients {
    /// Only the `named` ones, if there are any. `here` are addresses of the host that decider is to run on.
    #[must_use]
    pub fn new(named: Vec<IpAddr>, here: Vec<IpAddr>) -> Self {
        Self { named, here, askers: HashSet::new() }
    }

    /// This host's own addresses.
    #[must_use]
    pub fn here(&self) -> &[IpAddr] {
        &self.here
    }

    /// Whether packets from this address are a host's own, not a client's behind it.
    #[must_use]
    pub fn is_local(&self, spec: &Spec, from: IpAddr) -> bool {
        spec.host && (self.here.contains(&from) || spec.gateway.interfaces.is_empty())
    }

    /// Somebody asks a resolver of the policy, as clients do.
    pub fn asks(&mut self, from: IpAddr) {
        if self.askers.len() < MOST_ASKERS {
            self.askers.insert(from);
        }
    }

    /// Whether the policy is for what this address sends.
    #[must_use]
    pub fn covers(&self, spec: &Spec, from: IpAddr) -> bool {
        if !self.named.is_empty() {
            return self.named.contains(&from);
        }
        if from.is_loopback() || from.is_unspecified() || from.is_multicast() {
            return false;
        }
        if self.here.contains(&from) {
            return spec.host;
        }
        let hosts_alone = spec.gateway.interfaces.is_empty() && !self.here.is_empty();
        if hosts_alone || spec.dns.resolvers.contains(&from) {
            return false;
        }
        if !spec.gateway.networks.is_empty() {
            return spec.gateway.covers(from);
        }
        is_private(from) || self.askers.contains(&from)
    }
}

fn is_private(address: IpAddr) -> bool {
    Grounds { allow_private: false, is_here: false }.belief(address) == Belief::Private
}
