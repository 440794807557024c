use decider::model::{Reason, Verdict};

use crate::scene::{FAMILIES, Family, Outcome, Stage};

const GITHUB: &str = "github.com:22/ssh";
const GITLAB: &str = "gitlab.com:22/ssh";

fn each(test: impl Fn(Family)) {
    FAMILIES.into_iter().for_each(test);
}

#[test]
fn a_name_with_a_rule_for_the_port_is_allowed() {
    each(|family| {
        let stage = Stage::new(family).told(1, "github.com");
        assert_eq!(stage.decide(1, 22), Outcome::allow(GITHUB, "github.com"));
    });
}

#[test]
fn an_address_without_a_name_is_refused() {
    each(|family| {
        assert_eq!(Stage::new(family).decide(1, 22), Outcome::deny(Reason::NoObservation, None, None));
    });
}

#[test]
fn a_name_without_a_rule_is_refused() {
    each(|family| {
        let stage = Stage::new(family).told(1, "evil.example");
        assert_eq!(stage.decide(1, 22), Outcome::deny(Reason::NameNotAllowed, None, Some("evil.example")));
    });
}

#[test]
fn a_name_with_rules_for_other_ports_is_refused() {
    each(|family| {
        let stage = Stage::new(family).told(1, "github.com");
        assert_eq!(stage.decide(1, 5432), Outcome::deny(Reason::PortNotAllowed, None, Some("github.com")));
    });
}

#[test]
fn deny_beats_allow_whichever_was_asked_for_last() {
    each(|family| {
        for names in [["github.com", "old.example.com"], ["old.example.com", "github.com"]] {
            let stage = Stage::new(family).told(1, names[0]).told(1, names[1]);
            let refused = Outcome::deny(Reason::DeniedByRule, Some("old.example.com:22/ssh"), Some("old.example.com"));
            assert_eq!(stage.decide(1, 22), refused);
        }
    });
}

#[test]
fn anothers_denied_name_does_not_spoil_an_allowed_one() {
    each(|family| {
        let stage = Stage::new(family).told(2, "github.com").told(3, "old.example.com");
        assert_eq!(stage.decide(1, 22), Outcome::allow(GITHUB, "github.com"));
        let stage = Stage::new(family).told(3, "old.example.com");
        assert_eq!(stage.decide(1, 22).reason, Reason::DeniedByRule);
    });
}

#[test]
fn of_two_allowed_names_the_last_one_asked_for_counts() {
    each(|family| {
        let stage = Stage::new(family).told(1, "github.com").told(1, "gitlab.com");
        assert_eq!(stage.decide(1, 22), Outcome::allow(GITLAB, "gitlab.com").also(&["github.com"]));
        let stage = stage.told(1, "github.com");
        assert_eq!(stage.decide(1, 22), Outcome::allow(GITHUB, "github.com").also(&["gitlab.com"]));
    });
}

#[test]
fn two_allowed_names_are_refused_if_the_policy_says_so() {
    each(|family| {
        let stage = Stage::with(family, "", "  on_ambiguous: deny\n").told(1, "github.com").told(1, "gitlab.com");
        let refused = Outcome::deny(Reason::Ambiguous, Some(GITLAB), Some("gitlab.com")).also(&["github.com"]);
        assert_eq!(stage.decide(1, 22), refused);
    });
}

#[test]
fn an_allowed_name_beside_an_unknown_one_is_not_ambiguous() {
    each(|family| {
        let stage = Stage::with(family, "", "  on_ambiguous: deny\n").told(1, "github.com").told(1, "evil.example");
        assert_eq!(stage.decide(1, 22), Outcome::allow(GITHUB, "github.com"));
    });
}

#[test]
fn another_client_changes_nothing_for_one_with_its_own_observation() {
    each(|family| {
        let stage = Stage::new(family).told(1, "github.com").told(2, "gitlab.com").told(3, "old.example.com");
        assert_eq!(stage.decide(1, 22), Outcome::allow(GITHUB, "github.com"));
        let stage = Stage::new(family).told(1, "evil.example").told(2, "github.com");
        assert_eq!(stage.decide(1, 22), Outcome::deny(Reason::NameNotAllowed, None, Some("evil.example")));
        let stage = Stage::new(family).told_private(1, "github.com").told(2, "github.com");
        assert_eq!(stage.decide(1, 22), Outcome::deny(Reason::PrivateAddress, None, Some("github.com")));
    });
}

#[test]
fn what_others_asked_for_counts_where_the_scope_is_shared() {
    each(|family| {
        let stage = Stage::new(family).told(2, "github.com");
        assert_eq!(stage.decide(1, 22), Outcome::allow(GITHUB, "github.com"));
        let stage = Stage::with(family, "", "  scope: client\n").told(2, "github.com");
        assert_eq!(stage.decide(1, 22), Outcome::deny(Reason::NoObservation, None, None));
        assert_eq!(stage.decide(2, 22), Outcome::allow(GITHUB, "github.com"));
    });
}

#[test]
fn an_observation_counts_until_its_time_has_run_out_and_not_longer() {
    each(|family| {
        let stage = Stage::new(family).told(1, "github.com").later(89);
        assert_eq!(stage.decide(1, 22), Outcome::allow(GITHUB, "github.com"));
        let stage = stage.later(1);
        assert_eq!(stage.decide(1, 22), Outcome::deny(Reason::ObservationExpired, None, Some("github.com")));
        assert_eq!(stage.decide(2, 22).reason, Reason::ObservationExpired, "for those who share it too");
    });
}

#[test]
fn who_asked_too_long_ago_may_use_what_others_asked_since() {
    each(|family| {
        let stage = Stage::new(family).told(1, "github.com").later(90).told(2, "gitlab.com");
        assert_eq!(stage.decide(1, 22), Outcome::allow(GITLAB, "gitlab.com"));
    });
}

#[test]
fn a_name_at_a_private_address_is_refused_as_such() {
    each(|family| {
        let stage = Stage::new(family).told_private(1, "github.com");
        assert_eq!(stage.decide(1, 22), Outcome::deny(Reason::PrivateAddress, None, Some("github.com")));
    });
}

#[test]
fn a_listener_that_is_down_gets_nothing_and_no_other_takes_over() {
    each(|family| {
        let stage = Stage::new(family).told(1, "gitlab.com").told(1, "github.com").down("github.com");
        let refused = Outcome::deny(Reason::ListenerNotReady, Some(GITHUB), Some("github.com")).also(&["gitlab.com"]);
        assert_eq!(stage.decide(1, 22), refused);
    });
}

#[test]
fn audit_lets_through_what_enforce_would_refuse_and_keeps_the_reason() {
    each(|family| {
        let audit = |stage: fn(Stage) -> Stage| stage(Stage::with(family, "mode: audit\n", ""));
        let verdict = |stage: Stage| (stage.decide(1, 22).verdict, stage.decide(1, 22).reason);
        assert_eq!(verdict(audit(|stage| stage)), (Verdict::Audit, Reason::NoObservation));
        assert_eq!(verdict(audit(|stage| stage.told(1, "old.example.com"))), (Verdict::Audit, Reason::DeniedByRule));
        let down = audit(|stage| stage.told(1, "github.com").down("github.com"));
        assert_eq!(verdict(down), (Verdict::Audit, Reason::ListenerNotReady));
        assert_eq!(verdict(audit(|stage| stage.told(1, "github.com"))), (Verdict::Allow, Reason::Allowed));
    });
}

#[test]
fn a_name_below_a_wildcard_is_allowed_by_it_and_the_narrowest_rule_counts() {
    const WILD: &str = "*.wild.example:22/ssh";
    each(|family| {
        let decide = |name| Stage::new(family).told(1, name).decide(1, 22);
        for name in ["a.wild.example", "a.b.wild.example", "_ssh._tcp.wild.example", "narrow.wild.example"] {
            assert_eq!(decide(name), Outcome::allow(WILD, name));
        }
        let name = "a.b.narrow.wild.example";
        assert_eq!(decide(name), Outcome::allow("narrow", name));
        for name in ["wild.example", "badwild.example", "a.wild.example.evil.example"] {
            assert_eq!(decide(name), Outcome::deny(Reason::NameNotAllowed, None, Some(name)));
        }
        let (stage, name) = (Stage::new(family), "a.no.wild.example");
        let denied = Outcome::deny(Reason::DeniedByRule, Some("none"), Some(name));
        assert_eq!(stage.told(1, name).told(1, "a.wild.example").decide(1, 22), denied);
        let stage = Stage::new(family).told(1, "a.wild.example");
        assert_eq!(stage.decide(1, 5432), Outcome::deny(Reason::PortNotAllowed, None, Some("a.wild.example")));
    });
}

#[test]
fn two_names_below_one_wildcard_take_one_route_and_are_not_ambiguous() {
    each(|family| {
        let stage = || Stage::with(family, "", "  on_ambiguous: deny\n").told(1, "a.wild.example");
        let allowed = Outcome::allow("*.wild.example:22/ssh", "b.wild.example").also(&["a.wild.example"]);
        assert_eq!(stage().told(1, "b.wild.example").decide(1, 22), allowed);
        let decided = stage().told(1, "a.narrow.wild.example").decide(1, 22);
        assert_eq!((decided.verdict, decided.reason), (Verdict::Deny, Reason::Ambiguous));
    });
}
