use decider::model::{Reason, Upstream, Verdict};

use crate::scene::{FAMILIES, Stage};

#[test]
fn a_port_in_no_rule_is_explained_with_the_name_that_is_known() {
    for family in FAMILIES {
        let explained = Stage::new(family).told(1, "github.com").explain(1, 8443);
        assert_eq!((explained.verdict, explained.reason), (Verdict::Deny, Reason::PortNotAllowed));
        assert_eq!(explained.domain.unwrap().as_str(), "github.com");
        assert!(explained.advice.unwrap().contains("{ domain: github.com, proto: tcp, port: 8443 }"));
    }
}

#[test]
fn a_port_in_no_rule_and_no_name_leave_the_name_to_the_reader() {
    for family in FAMILIES {
        let explained = Stage::new(family).explain(1, 8443);
        assert_eq!(explained.domain, None);
        assert!(explained.advice.unwrap().contains("{ domain: NAME, proto: tcp, port: 8443 }"));
        let too_old = Stage::new(family).told(1, "github.com").later(1_000).explain(1, 8443);
        assert_eq!(too_old.domain, None);
    }
}

#[test]
fn a_port_in_another_names_rule_is_explained_with_the_rule_to_add() {
    for family in FAMILIES {
        let explained = Stage::new(family).told(1, "db.example.com").explain(1, 22);
        assert_eq!(explained.reason, Reason::PortNotAllowed);
        assert!(explained.advice.unwrap().contains("{ domain: db.example.com, proto: ssh }"));
        assert!(explained.steps.iter().any(|step| step.found.contains("for port 5432, 5433 and not for 22")));
    }
}

#[test]
fn an_explanation_says_what_the_decision_says() {
    for family in FAMILIES {
        let stage = Stage::new(family).told(1, "github.com").told(2, "evil.example").down("gitlab.com");
        for (client, port) in [(1, 22), (1, 5432), (2, 22), (3, 22)] {
            let (decided, explained) = (stage.decide(client, port), stage.explain(client, port));
            assert_eq!((explained.verdict, explained.reason), (decided.verdict, decided.reason));
            assert_eq!(explained.rule.map(|rule| rule.as_str().to_owned()), decided.rule);
            assert_eq!(explained.advice.is_none(), decided.verdict == Verdict::Allow);
        }
    }
}

#[test]
fn what_the_kernel_refuses_by_itself_is_explained_too() {
    for family in FAMILIES {
        let stage = Stage::new(family).told(1, "github.com");
        let covered = family.client(1);
        assert_eq!(stage.explain_to("203.0.113.1".parse().unwrap(), 22, false).reason, Reason::ClientNotCovered);
        assert_eq!(stage.explain_to(covered, 22, true).reason, Reason::LocalService);
        assert_eq!(stage.explain_to(covered, 53, false).reason, Reason::ResolverNotTrusted);
    }
}

#[test]
fn a_wildcard_is_explained_with_the_names_that_it_means_and_where_envoy_connects_to() {
    for family in FAMILIES {
        let explain = |name| Stage::new(family).told(1, name).explain(1, 22);
        let says = |name, words: &str| explain(name).steps.iter().any(|step| step.found.ends_with(words));
        assert!(says("a.wild.example", "a.wild.example is allowed on port 22 by *.wild.example:22/ssh"));
        assert!(says("a.narrow.wild.example", "is allowed on port 22 by narrow (*.narrow.wild.example)"));
        assert!(says("a.no.wild.example", "is denied on port 22 by none (*.no.wild.example)"));
        assert_eq!(explain("a.wild.example").upstream, Some(Upstream::Original));
        assert_eq!(explain("github.com").upstream, Some(Upstream::Resolve));
        assert_eq!(explain("evil.example").upstream, None);
        // The ports of every rule that means the name.
        let explained = Stage::new(family).told(1, "a.narrow.wild.example").explain(1, 5432);
        assert!(
            explained.steps.iter().any(|step| step.found.contains("for port 22 and not for 5432")),
            "{explained:?}"
        );
    }
}
