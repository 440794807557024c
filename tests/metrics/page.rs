//! A page of metrics, letter for letter. After a change: `DECIDER_REWRITE=1 cargo test --test metrics page`, then read the
//! difference.

use std::path::Path;
use std::time::Duration;

use decider::control::{Degraded, Status};
use decider::metrics::{Figures, render};
use decider::model::{Reason, Verdict};
use decider::record::Tally;
use serde_json::{Value, json};

use crate::record::record;

fn status() -> Value {
    let queue = |number: u16, purpose: &str| {
        json!({
            "number": number, "purpose": purpose, "up": number == 5300, "waiting": 3, "dropped_full": 4,
            "dropped_socket": 5, "receive_errors": 6, "verdict_errors": 7, "panics": 8
        })
    };
    json!({
        "version": "0.1.0", "pid": 4242, "uptime_s": 3725, "state": "degraded", "mode": "audit",
        "problems": [{ "what": "envoy", "message": "x" }, { "what": "worker", "message": "x" }],
        "policy": "policy.yaml", "epoch": 9, "rules": 2, "listeners_ready": 1, "listeners": 2,
        "reload": { "at": "2027-01-02T03:04:05.678Z", "ok": false, "message": "x", "count": 10, "failed": 3 },
        "envoy": {
            "managed": true, "state": "silent", "pid": 4243, "adopted": false, "restarts": 11, "last_error": null
        },
        "counters": {
            "queued": 1200, "allowed": 1300, "fast": 63, "denied": 14, "audited": 15, "malformed": 16, "dropped_by_kernel": 17,
            "waiting": 18, "repeated_syns": 84
        },
        "fast_path": { "state": "on", "elements": 61, "capacity": 62, "allowed": 63, "told": 64, "repeated": 65 },
        "refused_in_kernel": { "port-not-allowed": 20, "not-a-syn": 0 },
        "dns": {
            "tcp": {
                "open": 21, "connections": 22, "overload": 23, "refused": 24, "resolver_failed": 25,
                "client_failed": 26, "strangers": 27
            },
            "messages": { "questions": 28, "learned": 29 }, "observations": 30, "capacity": 1000
        },
        "queues": [queue(5300, "syn"), queue(5301, "dns")], "queue_statement": "native",
        "heal": { "ruleset": 31, "routes": 32, "backstop": 33, "last": null, "last_at": null },
        "lost_records": 34, "lost_journal": 35,
        "event_file": { "path": "/e", "written": 36, "lost": 37, "failure": null }
    })
}

fn page(status: Value, tally: Tally) -> String {
    let status: Status = serde_json::from_value(status).unwrap();
    render(Figures { status, tally }).unwrap()
}

#[test]
fn a_page_is_as_it_is_written_down() {
    let mut tally = Tally::default();
    let waited = Duration::from_micros;
    for wait in [9, 10, 300, 2_000_000] {
        tally.count(&record(Verdict::Allow, Reason::Allowed, Some("github.com:22/ssh"), waited(wait)));
    }
    tally.count(&record(Verdict::Deny, Reason::NoObservation, None, waited(11)));
    tally.count(&record(Verdict::Audit, Reason::DeniedByRule, Some("b*[x]"), waited(0)));
    let found = page(status(), tally);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/metrics/page.txt");
    if std::env::var_os("DECIDER_REWRITE").is_some() {
        std::fs::write(&golden, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(&golden).unwrap_or_default());
}

#[test]
fn what_there_is_not_yet_is_absent_and_the_family_is_told_all_the_same() {
    let mut status = status();
    status["reload"] = Value::Null;
    status["event_file"] = Value::Null;
    let page = page(status, Tally::default());
    for name in ["last_reload_success", "last_reload_timestamp_seconds", "event_file_written_total", "decisions_total"]
    {
        assert!(page.contains(&format!("# TYPE decider_{name} ")), "{name}");
        assert!(!page.contains(&format!("\ndecider_{name}")), "{name}");
    }
    assert!(page.contains("\ndecider_reloads_total{result=\"failed\"} 0\n"), "{page}");
}

#[test]
fn each_word_for_what_is_missing_has_a_series_and_a_new_one_gets_one() {
    let mut status = status();
    status["problems"] = json!([{ "what": "brand-new", "message": "x" }]);
    let page = page(status, Tally::default());
    for what in Degraded::WORDS {
        assert!(page.contains(&format!("decider_degraded{{what=\"{what}\"}} 0\n")), "{what}");
    }
    assert!(page.contains("decider_degraded{what=\"brand-new\"} 1\n"));
}
