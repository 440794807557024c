use std::net::IpAddr;

use crate::fast::Key;
use crate::model::DomainName;
use crate::policy::{Asker, Policy};
use crate::queue::Shared;

/// Addresses of one answer that are looked at: clients try the first ones.
const ADDRESSES: usize = 8;
/// Ports of one name: who has more of them connects to few.
const PORTS: usize = 4;

impl Shared {
    /// A client has been told these addresses of a name and is likely to connect: that may be left to the kernel before it does.
    pub fn ask_ahead(&self, policy: &Policy, asker: Asker, name: &DomainName, addresses: impl Iterator<Item = IpAddr>) {
        if !self.fast.is_open() {
            return;
        }
        let ports = || policy.allowed_ports(asker, name);
        if ports().nth(PORTS).is_some() {
            return;
        }
        for dst in addresses.take(ADDRESSES) {
            for port in ports() {
                self.fast.ask(Key { client: asker.client, dst, port });
            }
        }
    }
}
