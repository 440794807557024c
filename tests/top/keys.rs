//! What keys and events make of the state.

use std::net::SocketAddr;

use decider::model::Verdict;
use decider::top::{Action, Input, Key, State, on_key, plain, update};
use serde_json::json;

use crate::scene::{allowed, busy, detail, event, now, press, temporary};
use crate::screens::{PLAIN, SMALL, drawn, text};

fn screen(state: &State) -> String {
    text(&drawn(state, PLAIN, SMALL))
}

#[test]
fn equal_decisions_are_one_row_and_all_are_counted() {
    let mut state = State::new(now());
    for _ in 0..3 {
        update(&mut state, event(1, json!({ "repeated": 2 })));
    }
    update(&mut state, event(1, json!({ "verdict": "audit" })));
    update(&mut state, event(1, json!({ "dst": "2001:db8::9" })));
    let mut counts: Vec<u64> = state.shown().iter().map(|row| row.count).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 1, 6]);
}

#[test]
fn a_filter_is_in_force_while_it_is_typed() {
    let mut state = busy();
    let all = state.shown().len();
    press(&mut state, "/verdict:deny");
    let refused = state.shown().len();
    assert!(refused < all && state.shown().iter().all(|row| row.verdict == Verdict::Deny));
    press(&mut state, " port");
    let before = state.shown().len();
    assert!(before < refused);
    press(&mut state, ":x");
    assert_eq!(state.shown().len(), before, "what cannot be read leaves the filter before in force");
    assert!(screen(&state).contains("filter, column 19: \"x\" is no port"), "{}", screen(&state));
    press(&mut state, "\u{8}22\n");
    assert!(state.shown().iter().all(|row| row.dst_port == 22));
    press(&mut state, "\u{1b}");
    assert_eq!(state.shown().len(), all);
}

#[test]
fn a_filter_that_is_given_up_is_as_before() {
    let mut state = busy();
    state.set_filter("port:22").unwrap();
    let before = state.shown().len();
    press(&mut state, "/ verdict:allow\u{1b}");
    assert_eq!(state.shown().len(), before);
    assert!(screen(&state).contains("filter: port:22 "), "{}", screen(&state));
}

#[test]
fn groups_are_looked_into() {
    let mut state = busy();
    press(&mut state, "n");
    assert!(screen(&state).contains("\ngithub.com "), "{}", screen(&state));
    press(&mut state, "\n");
    let rows = state.shown();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.domain == rows[0].domain));
}

#[test]
fn groups_are_sorted_as_rows_are() {
    let mut state = busy();
    press(&mut state, "c");
    let first = |state: &State, clients: [&str; 3]| {
        let screen = screen(state);
        let lines = screen.lines().filter_map(|line| line.split_whitespace().next());
        let order: Vec<&str> = lines.filter(|word| clients.contains(word)).collect();
        order == clients
    };
    assert!(first(&state, ["10.77.1.7", "2001:db8:1::7", "10.77.1.9"]), "recent: {}", screen(&state));
    press(&mut state, "ssss");
    assert!(first(&state, ["10.77.1.7", "10.77.1.9", "2001:db8:1::7"]), "client: {}", screen(&state));
    press(&mut state, "sss");
    assert!(first(&state, ["10.77.1.7", "2001:db8:1::7", "10.77.1.9"]), "bytes: {}", screen(&state));
    // What Enter opens is the line that is chosen, not the group that stood there before.
    press(&mut state, "ssj\n");
    assert!(state.shown().iter().all(|row| row.client.to_string() == "10.77.1.9"), "{}", screen(&state));
}

#[test]
fn what_stands_still_changes_only_when_it_goes_on() {
    let mut state = busy();
    let before = plain(&state);
    press(&mut state, "p");
    update(&mut state, event(0, json!({ "dst_port": 9 })));
    assert_eq!(plain(&state), before);
    assert!(screen(&state).contains("PAUSED"));
    press(&mut state, "p");
    assert_eq!(plain(&state).len(), before.len() + 1);
}

#[test]
fn enter_asks_why_and_the_answer_is_shown() {
    let mut state = State::new(now());
    update(&mut state, event(1, json!({ "client": "2001:db8:1::7", "dst": "2001:db8::9" })));
    let dst: SocketAddr = "[2001:db8::9]:22".parse().unwrap();
    let asked = Action::Explain { client: "2001:db8:1::7".parse().unwrap(), dst };
    assert_eq!(on_key(&mut state, Key::Enter), Some(asked));
    assert!(screen(&state).contains("asking decider"), "{}", screen(&state));
    update(&mut state, Input::Said(Box::new(Err("the connection to decider broke".into()))));
    assert!(screen(&state).contains("the connection to decider broke"), "{}", screen(&state));
    press(&mut state, "\u{1b}");
    assert!(screen(&state).contains("DESTINATION"), "{}", screen(&state));
}

#[test]
fn what_has_no_port_is_not_asked_about() {
    let mut state = State::new(now());
    update(&mut state, event(1, json!({ "proto": "icmp", "dst_port": 0, "reason": "proto-not-allowed" })));
    assert_eq!(on_key(&mut state, Key::Enter), None);
    assert!(screen(&state).contains("no rule allows this protocol"), "{}", screen(&state));
}

#[test]
fn only_a_name_that_a_rule_would_let_through_has_a_command() {
    let line = |changes| {
        let mut state = State::new(now());
        update(&mut state, event(1, changes));
        state.shown().first().and_then(|row| row.allow_line())
    };
    let wanted = Some("decider allow a.example:22 --for 10m --client 10.77.1.7".to_owned());
    assert_eq!(line(json!({ "reason": "name-not-allowed", "domain": "a.example" })), wanted);
    assert_eq!(line(json!({ "reason": "no-observation" })), None);
    assert_eq!(line(json!({ "reason": "denied-by-rule", "domain": "a.example" })), None);
    assert_eq!(line(json!({ "reason": "port-not-allowed", "domain": "a.example", "proto": "udp" })), None);
    assert_eq!(line(json!({ "verdict": "allow", "reason": "allowed", "domain": "a.example" })), None);
}

fn asks(client: Option<&str>, for_s: u64, number: u64, dry_run: bool) -> Action {
    let client = client.map(|client| client.parse().unwrap());
    Action::Allow { number, target: "paste.example.net:443".to_owned(), for_s, client, dry_run }
}

#[test]
fn a_refused_name_is_let_through_after_a_question_that_says_exactly_what() {
    let own = Some("10.77.1.7");
    let mut state = busy();
    press(&mut state, "/name:paste*\n");
    assert_eq!(on_key(&mut state, Key::Char('a')), Some(asks(own, 600, 1, true)));
    // Nothing is confirmed that has not been shown.
    assert_eq!(on_key(&mut state, Key::Char('y')), None);
    update(&mut state, allowed(1, own, 600, true));
    for words in ["paste.example.net", "443 (tcp)", "10.77.1.7, and nobody else", "10m, until"] {
        assert!(screen(&state).contains(words), "{words}: {}", screen(&state));
    }
    // What is changed is asked for anew, and what was shown before cannot be confirmed any more.
    assert_eq!(on_key(&mut state, Key::Char('+')), Some(asks(own, 3_600, 2, true)));
    assert_eq!(on_key(&mut state, Key::Char('y')), None);
    assert_eq!(on_key(&mut state, Key::Char('-')), Some(asks(own, 600, 3, true)));
    assert_eq!(on_key(&mut state, Key::Char('c')), Some(asks(None, 600, 4, true)));
    update(&mut state, allowed(3, own, 600, true));
    assert_eq!(on_key(&mut state, Key::Char('y')), None, "the answer to another question is no answer");
    update(&mut state, allowed(4, None, 600, true));
    assert!(screen(&state).contains("everybody"), "{}", screen(&state));
    assert_eq!(on_key(&mut state, Key::Enter), None);
    assert_eq!(on_key(&mut state, Key::Char('y')), Some(asks(None, 600, 5, false)));
    assert_eq!(on_key(&mut state, Key::Char('y')), None, "once is enough");
    update(&mut state, allowed(5, None, 600, false));
    assert!(screen(&state).contains("decider allow --revoke paste.example.net:443/tcp"), "{}", screen(&state));
    assert_eq!(on_key(&mut state, Key::Char('c')), None);
    press(&mut state, "\n");
    assert!(screen(&state).contains("DESTINATION"), "{}", screen(&state));
}

#[test]
fn why_something_cannot_be_let_through_is_said() {
    let mut state = detail();
    assert_eq!(on_key(&mut state, Key::Char('a')), Some(asks(Some("10.77.1.7"), 600, 1, true)));
    let why = "user 1000 may look, but not command decider: run this as root";
    update(&mut state, Input::Allowed(1, Box::new(Err(why.into()))));
    assert!(screen(&state).contains(why), "{}", screen(&state));
    assert_eq!(on_key(&mut state, Key::Char('y')), None);
    press(&mut state, "n");
    assert!(screen(&state).contains("DESTINATION"), "{}", screen(&state));

    let mut state = busy();
    press(&mut state, "/verdict:allow\n");
    assert_eq!(on_key(&mut state, Key::Char('a')), None);
    assert!(screen(&state).contains("no rule for a name would let this through"), "{}", screen(&state));
    press(&mut state, "j");
    assert!(!screen(&state).contains("no rule for a name"), "{}", screen(&state));
    press(&mut state, "na");
    assert!(screen(&state).contains("choose a row first"), "{}", screen(&state));
    let mut state = State::of_a_file(now());
    update(&mut state, event(1, json!({ "reason": "name-not-allowed", "domain": "a.example" })));
    assert_eq!(on_key(&mut state, Key::Char('a')), None);
    assert!(screen(&state).contains("this shows a file"), "{}", screen(&state));
}

#[test]
fn what_a_temporary_rule_lets_through_says_how_long() {
    let state = temporary();
    assert!(screen(&state).contains("temporary: gitlab.com:22/ssh, 4m left"), "{}", screen(&state));
    assert!(plain(&state).iter().any(|line| line.contains(" temporary,4m(")), "{:?}", plain(&state));
    let left: Vec<Option<u64>> = state.shown().iter().map(|row| row.temporary_left_s).collect();
    assert!(left.contains(&Some(250)) && left.contains(&None));
}

#[test]
fn keys_end_it() {
    assert_eq!(on_key(&mut busy(), Key::Char('q')), Some(Action::Quit));
    let mut state = busy();
    press(&mut state, "/q");
    assert_eq!(on_key(&mut state, Key::Interrupt), Some(Action::Quit));
}

#[test]
fn rows_are_bounded_whatever_comes() {
    let mut state = State::new(now());
    for port in 1..=5000 {
        update(&mut state, event(0, json!({ "dst_port": port })));
    }
    assert_eq!(state.shown().len(), 4096);
    let flow = |port: u16| {
        json!({ "client": "10.0.0.1", "client_port": port, "dst": "192.0.2.1", "dst_port": port, "proto": "tcp", "rule": "r",
            "domain": null, "listener_port": 15100, "mark": "0x40000000" })
    };
    let flows: Vec<_> = (1..=5000).map(flow).collect();
    update(&mut state, Input::Flows(serde_json::from_value(flows.into()).unwrap()));
    assert_eq!(state.shown().len(), 4096);
}

#[test]
fn connections_are_counted_anew_each_time() {
    let mut state = busy();
    let open = |state: &State| state.shown().iter().map(|row| row.open).sum::<u64>();
    assert_eq!(open(&state), 2);
    update(&mut state, Input::Flows(vec![]));
    assert_eq!(open(&state), 0);
}
