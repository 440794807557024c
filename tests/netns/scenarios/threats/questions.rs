//! What clients ask, and how.

use super::{Scene, hears};
use crate::messages::bytes::{
    ANSWER, CHAOS, INTERNET, Message, QUESTION, address, answer, entry, labels_to_name, name, question,
};
use crate::messages::questions::CASES;
use crate::world::{Carrier, Family, Message as Told, Setup, all_ways};

#[test]
fn line_07_questions_that_cannot_be_read_do_not_leave() {
    let mut scene = Scene::start(Setup::default());
    all_ways(|family, carrier| {
        for case in CASES {
            let asked = (case.bytes)(family);
            let what = format!("a question {} over {family:?} and {carrier:?}", case.name);
            scene.lies(vec![]);
            scene.actor.heard();
            let mut talk = scene.talk(family, carrier);
            talk.say(&asked);
            let mut left = vec![];
            match (case.error, carrier) {
                (None, _) => {
                    hears(&mut talk, family, &[], &what);
                    left = vec![asked, super::honest_question(family)];
                    scene.counts(&[("questions", 2), ("taught_nothing", 1)], &what);
                }
                (Some(_), Carrier::Udp) => {
                    hears(&mut talk, family, &[], &what);
                    left = vec![super::honest_question(family)];
                    scene.counts(&[("malformed", 1), ("questions", 1), ("taught_nothing", 1)], &what);
                }
                (Some(_), Carrier::Tcp) => {
                    assert!(talk.hear().is_err(), "{what}: heard");
                    scene.counts(&[("malformed", 1)], &what);
                }
            }
            assert_eq!(scene.actor.heard(), left, "{what}");
        }
        scene.says_why(family, carrier, "malformed");
        scene.stranger_is_refused(family, "no-observation");
    });
    scene.ends();
}

const RULES: &str = "
  - { domain: github.com, proto: ssh }
  - { domain: \"*.example.com\", proto: ssh }
  - { domain: \"*.b\u{fc}cher.example\", proto: ssh }
  - { domain: denied.example, proto: ssh, action: deny }
";

/// What nobody may ask for under those rules, and what for.
fn not_allowed(family: Family) -> Vec<Message> {
    let named = |asked: &str| question(family, asked);
    let of_type = |kind: u16| Message::new(QUESTION, entry(&name("github.com"), kind, INTERNET));
    let mut messages: Vec<Message> = [
        "evil.example",
        "c2VjcmV0LWRhdGE.evil.example",
        "EVIL.Example",
        "denied.example",
        "x.github.com",
        "github.com.evil.example",
        "com",
        "example.com",
        "badexample.com",
        "a.example.com.evil.example",
        "xn--bcher-kva.example",
    ]
    .map(named)
    .into();
    // TXT, MX, SRV, NULL, ANY, and one that nobody knows.
    messages.extend([16, 15, 33, 10, 255, 0xfffe].map(of_type));
    messages.push(Message::new(QUESTION, entry(&name("github.com"), family.kind(), CHAOS)));
    messages.push(Message::new(QUESTION, entry(&labels_to_name(&[b"github.com"]), family.kind(), INTERNET)));
    messages.push(Message::new(QUESTION, entry(&labels_to_name(&[b"a.example", b"com"]), family.kind(), INTERNET)));
    messages
}

#[test]
fn line_09_what_no_rule_allows_is_no_tunnel() {
    let mut scene = Scene::start(Setup { dns: ", queries: policy", rules: RULES, ..Setup::default() });
    all_ways(|family, carrier| {
        scene.lies(vec![]);
        let mut talk = scene.talk(family, carrier);
        for asked in not_allowed(family) {
            talk.say(&asked.bytes());
            let refused = Message { flags: ANSWER | 5, ..asked.clone() };
            assert_eq!(talk.hear().unwrap(), refused.bytes(), "{:?} over {carrier:?}", asked.questions);
        }
        let count = u64::try_from(not_allowed(family).len()).unwrap();
        scene.counts(&[("refused", count)], "refused");
        assert_eq!(scene.actor.heard(), Vec::<Vec<u8>>::new());
        scene.says_why(family, carrier, "query-not-allowed");
        // What is allowed leaves as it is, by the same socket.
        for asked in ["github.com", "A.Example.com", "a.b.c.example.com", "x.xn--bcher-kva.example"] {
            let told = Message::new(ANSWER, question(family, asked).questions[0].clone()).answer(address(family, 10));
            scene.actor.says(move |_| vec![told.bytes()]);
            talk.say(&question(family, asked).bytes());
            talk.hear().unwrap();
            assert_eq!(scene.actor.heard(), [question(family, asked).bytes()]);
        }
        scene.counts(&[("questions", 4), ("learned", 4)], "allowed");
        scene.stranger_is_refused(family, "no-observation");
    });
    scene.ends();
}

/// Names that look as if a wildcard had meant them: whether one did.
const LOOKALIKES: [(&str, bool); 12] = [
    ("a.example.com", true),
    ("a.b.c.d.example.com", true),
    ("UPPER.EXAMPLE.COM", true),
    ("_ssh._tcp.example.com", true),
    ("x.xn--bcher-kva.example", true),
    ("xn--bcher-kva.example.com", true),
    ("example.com", false),
    ("badexample.com", false),
    ("a.badexample.com", false),
    ("example.com.evil.example", false),
    ("xn--bcher-kva.example", false),
    ("a.example.co", false),
];

#[test]
fn line_10_a_wildcard_means_the_names_below_and_no_others() {
    let mut scene = Scene::start(Setup { rules: RULES, ..Setup::default() });
    all_ways(|family, carrier| {
        let client = &scene.world.clients[0];
        // Each name has an address of its own, another one over TCP.
        let first = if carrier == Carrier::Udp { 20 } else { 40 };
        for (n, (asked, meant)) in (first..).zip(LOOKALIKES) {
            let told = Message::new(ANSWER, question(family, asked).questions[0].clone()).answer(address(family, n));
            scene.actor.says(move |_| vec![told.bytes()]);
            let mut talk = scene.talk(family, carrier);
            talk.say(&question(family, asked).bytes());
            talk.hear().unwrap();
            let (host, name) = (family.address(n), asked.to_lowercase());
            if meant {
                assert_eq!(client.reach(host, 22).unwrap(), host, "{asked}");
                assert_eq!(scene.world.gateway.event(host, 22, "allowed")["domain"], name);
            } else {
                client.is_refused(host, 22);
                assert_eq!(scene.world.gateway.event(host, 22, "name-not-allowed")["domain"], name);
                assert_eq!(scene.world.internet.wire.to(host), [], "{asked}");
            }
        }
    });
    scene.counts(&[("questions", 48), ("learned", 48)], "wildcards");
    scene.ends();
}

/// As glibc asks: for both kinds of addresses at once, from one socket.
#[test]
fn line_17_both_families_asked_at_once_from_one_socket() {
    let mut scene = Scene::start(Setup::default());
    scene.actor.says(|asked| {
        let question = Told::decode(asked).unwrap().question;
        let family = if question.record_type == 1 { Family::V4 } else { Family::V6 };
        vec![Message { id: id_of(asked), ..answer(family, "github.com").answer(address(family, 10)) }.bytes()]
    });
    all_ways(|over, carrier| {
        let mut talk = scene.talk(over, carrier);
        for id in (0..1_000).step_by(2) {
            let both = [(id, Family::V4), (id + 1, Family::V6)];
            for (id, family) in both {
                talk.say(&Message { id, ..question(family, "github.com") }.bytes());
            }
            let mut answered = [talk.hear().unwrap(), talk.hear().unwrap()].map(|bytes| id_of(&bytes));
            answered.sort_unstable();
            assert_eq!(answered, [id, id + 1], "over {over:?} and {carrier:?}");
        }
        scene.counts(&[("questions", 1_000), ("learned", 1_000)], "both at once");
        for family in Family::BOTH {
            assert_eq!(scene.world.clients[0].reach(family.address(10), 22).unwrap(), family.address(10));
        }
    });
    scene.ends();
}

fn id_of(message: &[u8]) -> u16 {
    u16::from_be_bytes([message[0], message[1]])
}
