//! What keys and events make of the state.

use std::net::SocketAddr;

use decider::model::Verdict;
use decider::top::{Action, Input, Key, State, on_key, plain, update};
use serde_json::json;

use crate::scene::{busy, event, now, press};
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
    let wanted = Some("decider allow a.example:22 --for 10m".to_owned());
    assert_eq!(line(json!({ "reason": "name-not-allowed", "domain": "a.example" })), wanted);
    assert_eq!(line(json!({ "reason": "no-observation" })), None);
    assert_eq!(line(json!({ "reason": "denied-by-rule", "domain": "a.example" })), None);
    assert_eq!(line(json!({ "reason": "port-not-allowed", "domain": "a.example", "proto": "udp" })), None);
    assert_eq!(line(json!({ "verdict": "allow", "reason": "allowed", "domain": "a.example" })), None);
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
