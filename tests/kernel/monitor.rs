use std::time::Duration;

use decider::kernel::{Change, monitor};
use tokio::sync::mpsc::Receiver;

use crate::{in_namespace, sh};

/// All that is hinted at within a moment after something was done.
fn hints(changes: &mut Receiver<Change>) -> Vec<Change> {
    std::thread::sleep(Duration::from_millis(200));
    let mut found = Vec::new();
    while let Ok(change) = changes.try_recv() {
        if !found.contains(&change) {
            found.push(change);
        }
    }
    found
}

#[test]
fn every_edit_is_heard_of_and_nothing_else() {
    in_namespace(|| {
        sh("nft 'add table inet decider; add set inet decider ports { type inet_service; }; add chain inet decider c'");
        let mut changes = monitor(None).unwrap();
        for (edit, expected) in [
            ("nft add table inet other", &[][..]),
            ("nft 'add chain inet other decider; add rule inet other decider drop'", &[]),
            ("nft add element inet decider ports '{ 22 }'", &[Change::Ruleset]),
            ("nft add rule inet decider c drop", &[Change::Ruleset]),
            ("nft flush ruleset", &[Change::Ruleset, Change::RulesetGone]),
            ("ip rule add pref 77 fwmark 1 lookup 77", &[Change::Rules]),
            ("ip -6 rule add pref 77 fwmark 1 lookup 77", &[Change::Rules]),
            ("ip route add local default dev lo table 5300", &[Change::Rules]),
            ("ip -6 route add local default dev lo table 5300", &[Change::Rules]),
            ("ip -6 route del local default dev lo table 5300", &[Change::Rules]),
            ("ip route add local default dev lo table 77", &[]),
            ("ip link add lan0 type bridge", &[Change::Links]),
            ("tc qdisc add dev lan0 clsact", &[Change::Filters]),
            ("tc qdisc del dev lan0 clsact", &[Change::Filters]),
            ("ip addr add 192.0.2.1/32 dev lan0", &[Change::Links]),
        ] {
            sh(edit);
            assert_eq!(hints(&mut changes), expected, "{edit}");
        }
    });
}
