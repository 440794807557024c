//! A gateway that has something to tell, at one moment.

use decider::control::Status;
use decider::say::Said;
use decider::top::{Input, Key, State, on_key, update};
use jiff::Timestamp;
use serde_json::{Value, json};

pub fn now() -> Timestamp {
    "2027-01-02T03:05:00Z".parse().unwrap()
}

fn status() -> Status {
    let queue = |number: u16, purpose: &str| {
        json!({
            "number": number, "purpose": purpose, "up": true, "waiting": 2, "dropped_full": 0, "dropped_socket": 0,
            "receive_errors": 0, "verdict_errors": 0, "panics": 0
        })
    };
    let status = json!({
        "version": "0.1.0", "pid": 4242, "uptime_s": 3725, "state": "degraded",
        "problems": [{ "what": "listener", "message": "orders is not up: its SYNs are refused" }], "mode": "enforce",
        "policy": "policy.yaml", "epoch": 3, "reload": null, "rules": 4, "listeners_ready": 3, "listeners": 4,
        "envoy": { "managed": true, "state": "live", "pid": 4243, "adopted": false, "restarts": 0, "last_error": null },
        "counters": {
            "queued": 12, "allowed": 10, "denied": 2, "audited": 0, "malformed": 0, "dropped_by_kernel": 0,
            "waiting": 0, "repeated_syns": 0
        },
        "refused_in_kernel": {}, "dns": { "messages": {}, "observations": 412, "capacity": 1_000_000 },
        "queues": [queue(5300, "syn")], "queue_statement": "native",
        "heal": { "ruleset": 0, "routes": 0, "backstop": 0, "last": null, "last_at": null },
        "lost_records": 0, "lost_journal": 0
    });
    serde_json::from_value(status).unwrap()
}

/// An event, so many seconds ago.
pub fn event(ago: i64, changes: Value) -> Input {
    let mut event = json!({
        "ts": (now() - jiff::SignedDuration::from_secs(ago)).to_string(), "verdict": "deny", "reason": "no-observation",
        "rule": null, "domain": null, "client": "10.77.1.7", "client_port": 40000, "dst": "203.0.113.166", "dst_port": 22,
        "proto": "tcp", "mark": "0x00000100", "iface": "lan0", "path": "queue", "waited_us": 40 + ago
    });
    let Value::Object(changes) = changes else { return Input::Gap(0) };
    event.as_object_mut().unwrap().extend(changes);
    Input::Event(Box::new(serde_json::from_value(event).unwrap()))
}

fn flow(client: &str, dst: &str, name: &str, bytes: u64) -> Value {
    json!({
        "client": client, "client_port": 40000, "dst": dst, "dst_port": 22, "proto": "tcp",
        "rule": format!("{name}:22/ssh"), "domain": name, "listener_port": 15100, "mark": "0x40000000", "age_s": 75,
        "bytes_out": bytes, "bytes_in": 4096, "left_s": 42
    })
}

/// Refusals, connections and a degraded daemon.
pub fn busy() -> State {
    let mut state = State::new(now() - jiff::SignedDuration::from_secs(10));
    update(&mut state, Input::Status(Box::new(status())));
    for ago in (0..60).rev() {
        let github = json!({ "verdict": "allow", "reason": "allowed", "rule": "github.com:22/ssh", "domain": "github.com",
            "dst": "192.0.2.10", "mark": "0x40000000", "repeated": 1 + ago % 7 });
        let gitlab = json!({ "verdict": "allow", "reason": "allowed", "rule": "gitlab.com:22/ssh", "domain": "gitlab.com",
            "client": "2001:db8:1::7", "dst": "2001:db8:2::11", "mark": "0x40000100" });
        update(&mut state, event(ago, github));
        if ago % 3 == 1 {
            update(&mut state, event(ago, gitlab));
        }
        if ago % 5 == 2 {
            update(&mut state, event(ago, json!({ "client": "10.77.1.9" })));
        }
    }
    let stranger = json!({ "reason": "name-not-allowed", "domain": "paste.example.net", "dst": "198.51.100.7",
        "dst_port": 443, "also": ["www.example.net"] });
    update(&mut state, event(4, stranger));
    update(
        &mut state,
        event(9, json!({ "reason": "proto-not-allowed", "dst_port": 123, "proto": "udp", "path": "fast" })),
    );
    let who = json!({ "reason": "port-not-allowed", "domain": "db.example.com", "dst": "2001:db8:2::20", "dst_port": 5433,
        "client": "2001:db8:1::1", "uid": 1000, "pid": 77, "exe": "/usr/bin/psql" });
    update(&mut state, event(30, who));
    let flows = json!([
        flow("10.77.1.7", "192.0.2.10", "github.com", 1_300_000),
        flow("2001:db8:1::7", "2001:db8:2::11", "gitlab.com", 900)
    ]);
    update(&mut state, Input::Flows(serde_json::from_value(flows).unwrap()));
    update(&mut state, Input::Tick(now()));
    state
}

/// The row of a name that is not allowed, explained.
pub fn detail() -> State {
    let mut state = busy();
    press(&mut state, "/name:paste*\n\n");
    let said = Said {
        verdict: decider::model::Verdict::Deny,
        headline: "10.77.1.7 -> 198.51.100.7:443: the name behind this address is in no rule (name-not-allowed)".into(),
        lines: vec![
            "  1. client       10.77.1.7 is covered".into(),
            "  2. names        this client asked for paste.example.net".into(),
            "  known about 198.51.100.7:".into(),
            "    paste.example.net                live     asked by 10.77.1.7, 5 s ago, 85 s left".into(),
        ],
        advice: Some("to allow it, add the rule { domain: paste.example.net, proto: tcp, port: 443 }".into()),
    };
    update(&mut state, Input::Said(Box::new(Ok(said))));
    state
}

/// What decider says to the question whether something could be let through for a while, or to the order to do it.
pub fn allowed(number: u64, client: Option<&str>, for_s: u64, dry_run: bool) -> Input {
    let behind = client.map_or(String::new(), |client| format!("@{client}"));
    let report = json!({
        "ok": true, "dry_run": dry_run, "failure": null, "renewed": false, "cut": [], "not_ready": [], "epoch": 4, "took_ms": 3,
        "rules": [{
            "id": format!("paste.example.net:443/tcp{behind}"), "domain": "paste.example.net", "port": 443, "proto": "tcp",
            "client": client, "for_s": for_s, "left_s": for_s, "ends": "2027-01-02T03:15:00Z", "by": 0
        }],
        "notes": ["tcp is assumed, since no proto was named"]
    });
    Input::Allowed(number, Box::new(Ok(serde_json::from_value(report).unwrap())))
}

/// The same row, with the question whether to let it through for a while.
pub fn permit() -> State {
    let mut state = busy();
    press(&mut state, "/name:paste*\na");
    update(&mut state, allowed(1, Some("10.77.1.7"), 600, true));
    state
}

/// One of the rules is a temporary one.
pub fn temporary() -> State {
    let mut state = busy();
    let mut status = serde_json::to_value(status()).unwrap();
    status["temporary"] = json!([{
        "id": "gitlab.com:22/ssh", "domain": "gitlab.com", "port": 22, "proto": "ssh", "client": null, "for_s": 600,
        "left_s": 250, "ends": "2027-01-02T03:09:10Z", "by": 0
    }]);
    update(&mut state, Input::Status(Box::new(serde_json::from_value(status).unwrap())));
    state
}

/// Types: `\n` is Enter, `\u{1b}` Escape.
pub fn press(state: &mut State, keys: &str) {
    for letter in keys.chars() {
        let key = match letter {
            '\n' => Key::Enter,
            '\u{1b}' => Key::Escape,
            '\u{8}' => Key::Backspace,
            letter => Key::Char(letter),
        };
        on_key(state, key);
    }
}
