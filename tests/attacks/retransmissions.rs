use decider::model::{Reason, Verdict};

use crate::packet_bytes::{BOTH, Family, SYN, TCP, ip, patch, syn, tcp};
use crate::world::{World, assert_event};

/// The rules the other way round, so that each has the other's mark.
const OTHER_POLICY: &str = "\
version: 1
intercept:
  gateway:
    interfaces: [lan0]
dns:
  resolvers: [10.77.2.53, \"fd77:2::53\"]
rules:
  - { domain: gitlab.com, proto: ssh }
  - { domain: github.com, proto: ssh }
";

#[test]
fn a_syn_that_is_sent_again_is_decided_once_and_counted_each_time() {
    for family in BOTH {
        let mut world = World::new();
        let (first, event) = world.syn(syn(family));
        assert_event(event.as_ref(), Verdict::Allow, Reason::Allowed, "first");
        // By now the address means another name to the client; the connection goes where it began to go.
        world.knows(family.client().ip(), "gitlab.com", family.github().ip());
        for _ in 0..3 {
            let (again, event) = world.syn(syn(family));
            assert_eq!(again, first);
            assert!(event.is_none());
        }
        assert_eq!(world.shared.counters.allowed.value(), 4);
        assert_eq!(world.shared.counters.repeated_syns.value(), 3);
        world.assert_sums();
    }
}

#[test]
fn a_refused_syn_that_is_sent_again_is_refused_again() {
    for family in BOTH {
        let mut world = World::new();
        let strange = stranger(family);
        let (first, event) = world.syn(strange.clone());
        assert_eq!(first, world.deny());
        assert_event(event.as_ref(), Verdict::Deny, Reason::NoObservation, "first");
        let (again, event) = world.syn(strange);
        assert_eq!(again, first);
        assert!(event.is_none());
        assert_eq!(world.shared.counters.denied.value(), 2);
        world.assert_sums();
    }
}

#[test]
fn another_sequence_number_is_another_connection() {
    for family in BOTH {
        let mut world = World::new();
        world.syn(syn(family));
        world.knows(family.client().ip(), "gitlab.com", family.github().ip());
        let (other, event) = world.syn(patch(syn(family), family.header() + 4, &[9, 9, 9, 9]));
        assert_eq!(other, world.listener("gitlab.com"));
        assert!(event.is_some());
        assert_eq!(world.shared.counters.repeated_syns.value(), 0);
    }
}

#[test]
fn a_listener_that_has_gone_gets_nothing_more() {
    for family in BOTH {
        let mut world = World::new();
        world.syn(syn(family));
        world.set_listeners(false);
        let (answer, event) = world.syn(syn(family));
        assert_eq!(answer, world.deny());
        assert_event(event.as_ref(), Verdict::Deny, Reason::ListenerNotReady, "gone");
        world.set_listeners(true);
        let (answer, event) = world.syn(syn(family));
        assert_eq!(answer, world.listener("github.com"));
        assert_event(event.as_ref(), Verdict::Allow, Reason::Allowed, "back");
        world.assert_sums();
    }
}

#[test]
fn listeners_that_stay_as_they_are_change_nothing() {
    let mut world = World::new();
    world.syn(syn(Family::V4));
    world.set_listeners(true);
    let (_, event) = world.syn(syn(Family::V4));
    assert!(event.is_none());
}

#[test]
fn another_policy_decides_anew() {
    for family in BOTH {
        let mut world = World::new();
        let (before, _) = world.syn(syn(family));
        world.publish(OTHER_POLICY, 2);
        let (after, event) = world.syn(syn(family));
        assert!(event.is_some());
        assert_ne!(after, before, "that mark is gitlab.com's now");
        assert_eq!(after, world.listener("github.com"));
        world.assert_sums();
    }
}

#[test]
fn in_audit_mode_repeats_are_counted_as_audited() {
    for family in BOTH {
        let mut world = World::audit();
        let (first, _) = world.syn(stranger(family));
        let (again, event) = world.syn(stranger(family));
        assert_eq!(first, again);
        assert!(event.is_none());
        assert_eq!(world.shared.counters.audited.value(), 2);
        world.assert_sums();
    }
}

fn stranger(family: Family) -> Vec<u8> {
    let dst = family.pick("203.0.113.9", "2001:db8:9::9");
    ip(family.client().ip(), dst, TCP, &tcp(40_000, 22, SYN, &[], &[]))
}
