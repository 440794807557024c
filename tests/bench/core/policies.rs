use std::hint::black_box;

use decider::envoy::{self, Host};
use decider::kernel::{Features, Local, QueueNumbers, QueueStatement, Ruleset};
use decider::model::Epoch;
use decider::policy::{Policy, SlotTable, load};

use crate::clocked::cost_of_one;
use crate::report::{Report, Row};
use crate::world::{Size, policy, policy_text};

/// Checking, compiling and rendering the largest policy.
pub fn measure(size: &Size, report: &mut Report) {
    let rules = size.most_rules();
    let text = policy_text(rules);
    let check = cost_of_one(size, || {
        let _ = black_box(load(&text));
    });
    report.add(Row::of("check a policy", check).rules(rules));
    let spec = load(&text).unwrap().spec;
    let mut slots = SlotTable::default();
    slots.assign(&spec).unwrap();
    let compile = cost_of_one(size, || {
        black_box(Policy::compile(spec.clone(), &slots, Epoch(1)).unwrap());
    });
    report.add(Row::of("compile a policy", compile).rules(rules));
    let policy = policy(rules);
    let ruleset = cost_of_one(size, || {
        let queues = QueueNumbers { syn: 0..=1, dns: 2..=3 };
        let features = Features { queueing: QueueStatement::Native, owned_tables: true };
        black_box(Ruleset::plan(&policy, &queues, features, 5300, &Local::default()).to_string());
    });
    report.add(Row::of("render the ruleset", ruleset).rules(rules));
    let envoy = cost_of_one(size, || {
        let files = envoy::render(&policy, Host::default());
        for resources in [&files.lds, &files.cds] {
            black_box(serde_json::to_string(&resources.to_write()).unwrap());
        }
    });
    report.add(Row::of("render Envoy's files", envoy).rules(rules));
}
