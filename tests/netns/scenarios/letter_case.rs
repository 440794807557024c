//! Letter case in questions (0x20): an answer counts if it repeats the question to the letter, and real resolvers do.

use crate::world::{Family, GITHUB, Place, Resolving, Software, both};

const SPELLINGS: [&str; 3] = ["gItHuB.CoM", "GiThUb.cOm", "github.com"];

const KINDS: [(Software, &[&str]); 3] =
    [(Software::Dnsmasq, &[]), (Software::Unbound, &[]), (Software::Unbound, &["use-caps-for-id: yes"])];

/// Asks for the name in all spellings; each has its own answer, and leads to the host.
fn each_spelling_counts(resolving: &Resolving, family: Family) {
    for name in SPELLINGS {
        let answer = resolving.client().ask(resolving.address(family), name, family).expect("no answer");
        assert_eq!((answer.question.name.as_str(), answer.addresses.as_slice()), (name, &[GITHUB.of(family)][..]));
        assert!(GITHUB.both().contains(&resolving.client().reach(answer.addresses[0], 22).unwrap()));
    }
}

#[test]
fn real_resolvers_repeat_the_letters_of_a_question() {
    for (software, options) in KINDS {
        // Answers of the cache, and answers that are passed on as they come.
        for (place, ttl) in [(Place::Gateway, 600), (Place::Gateway, 0), (Place::Beyond, 600), (Place::Beyond, 0)] {
            let mut resolving = Resolving::build(software, place, options, "");
            resolving.authority.set_ttls(ttl..=ttl);
            resolving.world.gateway.start();
            both(|family| each_spelling_counts(&resolving, family));
            resolving.every_question_was_answered(6);
            assert_eq!(resolving.world.gateway.adds_up()["denied"], 0);
            assert_eq!(resolving.world.internet.wire.leaked(), []);
        }
    }
}

#[test]
fn unbound_repeats_them_where_the_names_owner_does_not() {
    for options in [&[][..], &["use-caps-for-id: yes"]] {
        let mut resolving = Resolving::build(Software::Unbound, Place::Gateway, options, "");
        resolving.authority.answer_in_lower_case();
        resolving.authority.set_ttls(0..=0);
        resolving.world.gateway.start();
        both(|family| each_spelling_counts(&resolving, family));
        resolving.every_question_was_answered(6);
    }
}

#[test]
fn an_answer_in_other_letters_is_dropped_and_counted() {
    let mut resolving = Resolving::build(Software::Dnsmasq, Place::Gateway, &[], "");
    resolving.authority.answer_in_lower_case();
    resolving.authority.set_ttls(0..=0);
    resolving.world.gateway.start();
    both(|family| {
        let (client, github) = (resolving.client(), GITHUB.of(family));
        let before = resolving.messages("unasked");
        assert_eq!(client.ask(resolving.address(family), "GitHub.com", family), None);
        // Each of the three tries had its answer.
        assert_eq!(resolving.messages("unasked"), before + 3);
        client.is_refused(github, 22);
        resolving.world.gateway.event(github, 22, "no-observation");
        // In the letters that the resolver writes it works.
        assert_eq!(resolving.reach("github.com", family), github);
    });
    assert_eq!(resolving.messages("learned"), 2);
    let counters = resolving.world.gateway.adds_up();
    assert_eq!((&counters["allowed"], &counters["denied"]), (&2.into(), &6.into()), "{counters}");
    assert_eq!(resolving.world.internet.wire.leaked(), []);
}
