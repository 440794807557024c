use std::time::Duration;

use decider::clock;
use decider::model::{Mark, OtherNames, Reason, RuleId, Transport, Verdict};
use decider::record::{PathTaken, Record};

/// A decision about a SYN from one host to another, by a worker.
pub fn record(verdict: Verdict, reason: Reason, rule: Option<&str>, waited: Duration) -> Record {
    Record {
        at: clock::now(),
        verdict,
        reason,
        rule: rule.map(RuleId::new),
        domain: None,
        also: OtherNames::new(),
        client: "10.77.1.2:40000".parse().unwrap(),
        dst: "[2001:db8:100::66]:22".parse().unwrap(),
        transport: Transport::Tcp,
        mark: Mark(0),
        in_interface: 0,
        uid: None,
        path: PathTaken::Queue,
        waited,
    }
}
