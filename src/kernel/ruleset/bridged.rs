//! What `br_netfilter` makes necessary, which container engines switch on (`net.bridge.bridge-nf-call-iptables`).
//!
//! With it a packet that comes in by a bridge passes the chains of prerouting while it is still the bridge's. The listener
//! that TPROXY gave it is taken from it again on its way up (`ip_rcv_core`, `net/ipv4/ip_input.c`), and the second pass ends
//! at its very first hook (`ip_sabotage_in`, `net/bridge/br_netfilter_hooks.c`, at `NF_IP_PRI_FIRST`). So the listener is
//! given once more right in front of that. Of hooks with one priority the kernel calls first what was added last.

use crate::model::Mark;
use crate::policy::Spec;

use super::marks;
use super::table::{Base, Kind, Table};

/// `NF_IP_PRI_FIRST`.
const FIRST: Base = Base { kind: Kind::Filter, hook: "prerouting", priority: i32::MIN };

/// The chain behind it.
pub const DELIVER: &str = "deliver_bridged";

/// The chain that gives a bridge's packets their listeners again. `interfaces` has the rules that lead to it.
pub fn add(table: &mut Table, spec: &Spec, interfaces: Vec<String>) {
    let mask = spec.marks;
    // In a first pass no packet has a conntrack entry yet, so that no mark that comes with one gets anywhere.
    let second_pass = format!("meta l4proto tcp ct direction original ct mark & {mask} != {}", Mark(0));
    table.chain(DELIVER, None, marks::to_listener(spec, &second_pass).to_vec());
    table.chain("bridged", Some(FIRST), interfaces);
}
