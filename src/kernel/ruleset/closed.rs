use crate::policy::Policy;

use super::super::Features;
use super::host::Local;
use super::plan::{QueueNumbers, QueueStatement, Ruleset};
use super::table::{Base, Kind, Table};
use super::upkeep;

/// In front of whatever else looks at a packet here (`NF_IP_PRI_RAW`).
const FORWARD: Base = Base { kind: Kind::Filter, hook: "forward", priority: -300 };
/// Behind conntrack (`NF_IP_PRI_CONNTRACK` is -200), which knows what a packet replies to.
const OUTPUT: Base = Base { kind: Kind::Filter, hook: "output", priority: -150 };

impl Ruleset {
    /// The ruleset of a policy before decider is there to decide: what would be queued is dropped, whoever may have a
    /// queue of that number.
    #[must_use]
    pub fn undecided(policy: &Policy, log_group: u16, local: &Local) -> Self {
        let nobody = QueueNumbers { syn: 0..=0, dns: 0..=0 };
        let features = Features { queueing: QueueStatement::Target, owned_tables: false };
        Self { targets: None, ..Self::plan(policy, &nobody, features, log_group, local) }
    }

    /// What is put in force where there is no policy to be had: nothing is forwarded and nothing leaves, but what stays on
    /// this host, what keeps its links up, and replies to whoever came in, such as the administrator who mends the policy.
    #[must_use]
    pub fn closed() -> Self {
        let mut table = Table::default();
        table.chain("link_upkeep", None, link_upkeep());
        table.chain("forward", Some(FORWARD), vec!["counter drop".to_owned()]);
        let output = [
            "oifname \"lo\" accept",
            "ct direction reply accept",
            "jump link_upkeep",
            "counter meta l4proto tcp reject with tcp reset",
            "counter reject with icmpx admin-prohibited",
        ];
        table.chain("output", Some(OUTPUT), output.map(str::to_owned).to_vec());
        Self { table, targets: None, attendance: None }
    }
}

/// None of it leaves the link.
fn link_upkeep() -> Vec<String> {
    let mut rules = upkeep::of_a_host();
    rules.push("udp sport { 546, 547 } udp dport { 546, 547 } ip6 daddr { fe80::/10, ff02::/16 } accept".to_owned());
    rules
}
