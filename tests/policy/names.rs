//! The names of rules: what people write, and what is compared.

use decider::policy::Code;

use crate::{accepted, codes, refused, with_rules};

fn rule(name: &str) -> String {
    with_rules(&[&format!("{{ domain: {}, proto: ssh }}", serde_json::to_string(name).unwrap())])
}

#[test]
fn names_are_compared_in_lower_case_without_the_last_dot() {
    for (written, meant) in [
        ("github.com", "github.com"),
        ("GitHub.COM", "github.com"),
        ("github.com.", "github.com"),
        ("_ssh._tcp.example.com", "_ssh._tcp.example.com"),
        ("a-b.1.example.com", "a-b.1.example.com"),
        ("1.2.3.example", "1.2.3.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("XN--Bcher-KVA.example.", "xn--bcher-kva.example"),
        ("b\u{fc}cher.example", "xn--bcher-kva.example"),
        ("B\u{dc}CHER.example", "xn--bcher-kva.example"),
        ("bu\u{308}cher.example", "xn--bcher-kva.example"),
        ("stra\u{df}e.example", "xn--strae-oqa.example"),
        ("\u{4f8b}\u{3048}.example", "xn--r8jz45g.example"),
        ("git\u{3002}example\u{ff0e}com", "git.example.com"),
        ("\u{ff47}ithub.com", "github.com"),
    ] {
        assert_eq!(accepted(&rule(written)).rules[0].name.as_str(), meant, "{written}");
    }
}

#[test]
fn two_ways_of_writing_a_name_are_one_name() {
    for twin in ["GITHUB.com", "github.com.", "\u{ff47}ithub.com"] {
        let text = with_rules(&["{ domain: github.com, proto: ssh }", &format!("{{ domain: {twin}, proto: ssh }}")]);
        assert_eq!(codes(&refused(&text)), [Code::DuplicateRule], "{twin}");
    }
}

#[test]
fn names_are_taken_up_to_their_length_and_no_further() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(longest.len(), 253);
    // Its own id would be too long: one must be given.
    assert_eq!(codes(&refused(&rule(&longest))), [Code::IdNeeded]);
    let text = with_rules(&[&format!("{{ id: long, domain: {longest}, proto: ssh }}")]);
    assert_eq!(accepted(&text).rules[0].name.as_str().len(), 253);
    for name in [format!("{longest}a"), format!("{label}a.example"), "\u{fc}".repeat(64)] {
        assert_eq!(codes(&refused(&rule(&name))), [Code::BadName], "{name}");
    }
}

#[test]
fn what_is_no_name_says_what_it_should_be() {
    for (written, help) in [
        ("https://github.com/rust-lang", "`github.com`"),
        ("git@github.com", "`github.com`"),
        ("github.com:22", "`github.com`"),
        ("ssh://git@github.com:22/x.git", "`github.com`"),
        (".github.com", "`github.com`"),
        ("github.com/", "`github.com`"),
        (" github.com", "`github.com`"),
        ("git hub.com", "look up"),
        ("a..example.com", "look up"),
        ("", "look up"),
        (".", "look up"),
        ("exa\\.mple.com", "look up"),
        ("a\u{0}b.example", "look up"),
        ("a.1", "look up"),
        ("0x7f.1", "look up"),
        ("example.com\u{2028}", "look up"),
        ("\u{200d}.example", "look up"),
    ] {
        let problems = refused(&rule(written));
        assert_eq!(codes(&problems), [Code::BadName], "{written:?}");
        let said = problems[0].help.as_deref().unwrap();
        assert!(said.contains(help), "{written:?}: {said}");
        assert_eq!((problems[0].place.line, problems[0].place.column), (5, 15), "{written:?}");
    }
}

#[test]
fn a_name_without_a_dot_is_warned_of() {
    let loaded = decider::policy::load(&rule("localhost")).unwrap();
    assert_eq!(codes(&loaded.warnings), [Code::SingleLabel]);
}
