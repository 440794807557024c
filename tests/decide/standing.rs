//! Which connections may go on by another policy.

use std::net::SocketAddr;

use decider::decide::{Standing, Way, may_go_on};
use decider::dns::Belief;
use decider::model::{DomainName, Epoch, Mark};
use decider::policy::{Policy, SlotTable, Spec, load};

use crate::scene::{FAMILIES, Family};

const RULES: &str = "  - { id: one, domain: one.example, proto: tcp, port: [22, 5432] }
  - { id: wild, domain: \"*.wild.example\", proto: ssh }
";

/// A policy that came after that of [`RULES`].
fn policy(head: &str, rules: &str) -> Policy {
    let mut slots = SlotTable::default();
    slots.assign(&spec("", RULES)).unwrap();
    let spec = spec(head, rules);
    slots.assign(&spec).unwrap();
    Policy::compile(spec, &slots, Epoch(1)).unwrap()
}

fn spec(head: &str, rules: &str) -> Spec {
    let text = format!(
        "version: 1\nintercept: {{ gateway: {{ interfaces: [lan0]{head} }} }}\n\
         dns: {{ resolvers: [192.0.2.53, \"2001:db8::53\"] }}\nrules:\n{rules}"
    );
    load(&text).unwrap().spec
}

/// What becomes of a connection by the rule of that id on that port, known by that name.
fn judged(after: &Policy, family: Family, id: &str, port: u16, name: Option<&str>) -> Result<(), &'static str> {
    let before = policy("", RULES);
    let route = before.routes().iter().find(|route| route.rule.id.as_str() == id).unwrap();
    let names: Vec<DomainName> = name.into_iter().map(|name| DomainName::parse(name).unwrap()).collect();
    may_go_on(after, Some(Way::of(route)), &standing(family, route.mark, port, &names))
}

fn standing(family: Family, mark: Mark, port: u16, names: &[DomainName]) -> Standing<'_> {
    Standing {
        client: SocketAddr::new(family.client(7), 40000),
        dst: SocketAddr::new(family.server(), port),
        mark,
        names,
        client_is_here: false,
        belief: Belief::Believed,
    }
}

#[test]
fn what_its_rule_still_allows_goes_on() {
    for family in FAMILIES {
        let same = policy("", RULES);
        let more = policy("", &format!("{RULES}  - {{ domain: new.example, proto: ssh }}\n"));
        let other_port = policy("", &RULES.replace("[22, 5432]", "[22, 5433]"));
        for after in [&same, &more, &other_port] {
            assert_eq!(judged(after, family, "one", 22, None), Ok(()));
            assert_eq!(judged(after, family, "wild", 22, Some("a.wild.example")), Ok(()));
            assert_eq!(judged(after, family, "wild", 22, None), Ok(()));
        }
    }
}

#[test]
fn what_its_rule_allows_no_more_is_cut() {
    let line = RULES.lines().next().unwrap();
    let cases = [
        (RULES.replace(line, "  - { id: two, domain: two.example, proto: ssh }"), "its rule is gone"),
        (RULES.replace("port: [22, 5432]", "port: 5432"), "its rule is not for this port any more"),
        (RULES.replace("one.example", "two.example"), "its rule leads elsewhere now"),
        (RULES.replace("5432] }", "5432], upstream: original }"), "its rule leads elsewhere now"),
        (RULES.replace("5432] }", "5432], action: deny }"), "its rule is gone"),
    ];
    for family in FAMILIES {
        for (rules, why) in &cases {
            assert_eq!(judged(&policy("", rules), family, "one", 22, None), Err(*why), "{rules}");
            assert_eq!(judged(&policy("", rules), family, "wild", 22, Some("a.wild.example")), Ok(()), "{rules}");
        }
    }
}

#[test]
fn a_denial_below_a_wildcard_cuts_what_it_means() {
    let denying = format!("{RULES}  - {{ domain: bad.wild.example, proto: ssh, action: deny }}\n");
    let after = policy("", &denying);
    for family in FAMILIES {
        assert_eq!(judged(&after, family, "wild", 22, Some("bad.wild.example")), Err("a rule denies its name"));
        assert_eq!(judged(&after, family, "wild", 22, Some("good.wild.example")), Ok(()));
        // It may be the one that is meant.
        let unknown = Err("a rule denies some names of its rule, and its own is not known");
        assert_eq!(judged(&after, family, "wild", 22, None), unknown);
        assert_eq!(judged(&after, family, "wild", 22, Some("else.example")), unknown);
        assert_eq!(judged(&after, family, "one", 22, None), Ok(()));
    }
}

#[test]
fn a_client_that_is_covered_no_more_is_cut_unless_nothing_is_refused() {
    let narrow = ", networks: [10.99.0.0/16, \"fd99::/16\"]";
    for family in FAMILIES {
        let after = policy(narrow, RULES);
        assert_eq!(judged(&after, family, "one", 22, None), Err("its client is not covered any more"));
        let route = &after.routes()[0];
        let here = Standing { client_is_here: true, ..standing(family, route.mark, 22, &[]) };
        assert_eq!(may_go_on(&after, Some(Way::of(route)), &here), Ok(()));
        let private = Standing { belief: Belief::Private, ..here };
        assert_eq!(may_go_on(&after, Some(Way::of(route)), &private), Err("it goes to a private address"));
    }
}

#[test]
fn what_is_for_other_clients_now_is_cut() {
    for family in FAMILIES {
        let whom = |n: u8| family.client(n).to_string();
        let narrowed = |n: u8| {
            RULES.replace("one.example,", &format!("one.example, clients: \"{}\",", whom(n)))
                + &format!("  - {{ domain: a.wild.example, proto: ssh, action: deny, clients: \"{}\" }}\n", whom(n))
        };
        let (for_it, for_others) = (policy("", &narrowed(7)), policy("", &narrowed(8)));
        assert_eq!(judged(&for_it, family, "one", 22, None), Ok(()));
        assert_eq!(judged(&for_others, family, "one", 22, None), Err("its rule is not for this client any more"));
        for (after, denied) in [(&for_it, true), (&for_others, false)] {
            assert_eq!(judged(after, family, "wild", 22, Some("a.wild.example")).is_err(), denied);
            assert_eq!(judged(after, family, "wild", 22, Some("b.wild.example")), Ok(()));
            assert_eq!(judged(after, family, "wild", 22, None).is_err(), denied);
        }
    }
}

#[test]
fn a_connection_to_a_resolver_goes_on_while_that_is_trusted() {
    let after = policy("", RULES);
    let mark = after.spec().marks.relay();
    for (resolver, outcome) in [
        ("192.0.2.53:53", Ok(())),
        ("[2001:db8::53]:53", Ok(())),
        ("192.0.2.54:53", Err("its resolver is not trusted any more")),
        ("[2001:db8::54]:53", Err("its resolver is not trusted any more")),
    ] {
        let dst = resolver.parse().unwrap();
        let flow = Standing { dst, ..standing(FAMILIES[0], mark, 53, &[]) };
        assert_eq!(may_go_on(&after, None, &flow), outcome);
    }
}

#[test]
fn what_nobody_knows_is_cut() {
    let after = policy("", RULES);
    for family in FAMILIES {
        let flow = standing(family, after.routes()[0].mark, 22, &[]);
        assert!(may_go_on(&after, None, &flow).is_err());
    }
}
