//! The table that ends with decider's process, in the real kernel.

use std::process::Command;

use decider::kernel::{Attendance, Change, Presence, monitor};
use decider::model::{Mark, MarkMask};

use crate::{in_namespace, sh};

fn tables() -> String {
    sh("nft list tables")
}

fn attendance() -> Attendance {
    Attendance::of(MarkMask::default()).unwrap()
}

#[test]
fn it_is_this_processs_alone_and_ends_with_its_socket() {
    in_namespace(|| {
        Presence::probe().unwrap();
        assert_eq!(tables(), "");
        let mut presence = Presence::open().unwrap();
        presence.show(Some(attendance())).unwrap();
        sh("nft add table inet other; nft flush ruleset");
        assert_eq!(tables(), "table inet decider_alive\n");
        for change in ["delete table inet decider_alive", "flush chain inet decider_alive alive"] {
            assert!(!Command::new("nft").args(change.split(' ')).output().unwrap().status.success(), "{change}");
        }
        drop(presence);
        assert_eq!(tables(), "");
    });
}

#[test]
fn it_is_what_it_says_and_follows_the_policy() {
    in_namespace(|| {
        let mut presence = Presence::open().unwrap();
        let other = Attendance { waiting: Mark(0x10), attended: Mark(0x20) };
        let mut changes = monitor(None).unwrap();
        for shown in [attendance(), other, other] {
            presence.show(Some(shown)).unwrap();
            let (listed, said) = (sh("nft list table inet decider_alive"), shown.to_string());
            for line in ["\tflags owner", &format!("\t\tmeta mark {} meta mark set {}", shown.waiting, shown.attended)]
            {
                assert!(listed.contains(line) && said.contains(line), "{line}: {listed}{said}");
            }
            assert!(listed.contains("type filter hook prerouting priority mangle + 1; policy accept;"), "{listed}");
        }
        presence.show(None).unwrap();
        assert_eq!(tables(), "");
        // It is no part of the ruleset that is looked after.
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert!(!matches!(changes.try_recv(), Ok(Change::Ruleset | Change::RulesetGone)));
    });
}

#[test]
fn one_of_another_program_is_told_of_and_left_alone() {
    in_namespace(|| {
        sh("nft add table inet decider_alive");
        let mut presence = Presence::open().unwrap();
        let refused = presence.show(Some(attendance())).unwrap_err().to_string();
        assert!(refused.contains("inet decider_alive"), "{refused}");
        assert_eq!(tables(), "table inet decider_alive\n");
        sh("nft delete table inet decider_alive");
        presence.show(Some(attendance())).unwrap();
        assert_eq!(tables(), "table inet decider_alive\n");
    });
}
