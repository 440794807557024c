use std::process::{Command, Output};

use serde_json::Value;

use crate::packets::Family;
use crate::played::{POLICY, connect, end, ethernet, look_up};
use crate::written::{ETHERNET, Order, pcap};

/// Runs `decider replay` on a capture with these arguments.
fn replay(file: &[u8], arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let (capture, policy) = (folder.path().join("a.pcap"), folder.path().join("policy.yaml"));
    std::fs::write(&capture, file).unwrap();
    std::fs::write(&policy, POLICY).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_decider"));
    command.arg("replay").arg(&capture).arg("--policy").arg(&policy).args(arguments).env("TZ", "UTC");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// One connection to github.com, and perhaps one to a stranger.
fn session(family: Family, to_stranger: bool) -> Vec<u8> {
    let mut packets = look_up(0, family.client(), family, "github.com", family.github()).to_vec();
    packets.push(connect(10, end(family.client(), 40_000), end(family.github(), 22)));
    if to_stranger {
        packets.push(connect(20, end(family.client(), 40_001), end(family.stranger(), 22)));
    }
    pcap(Order::Little, false, ETHERNET, &ethernet(&packets))
}

#[test]
fn decisions_are_shown_as_events_are_with_a_summary_and_an_exit_code() {
    let output = replay(&session(Family::V4, true), &[]);
    let shown = "\
TIME      WHAT   REASON                CLIENT           DESTINATION            NAME (RULE)
00:00:00  allow  allowed               10.77.1.2        192.0.2.10:22          github.com
00:00:00  deny   no-observation        10.77.1.2        203.0.113.66:22        -

1 allowed, 1 refused, 0 audited in 4 packets of 0 seconds
reasons: allowed 1, no-observation 1
";
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), shown.to_owned()));
    assert_eq!(replay(&session(Family::V6, false), &[]).status.code(), Some(0));
}

#[test]
fn json_has_an_event_a_line_and_the_summary_last() {
    let output = replay(&session(Family::V6, true), &["--json"]);
    let lines: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), output.status.code()), (3, Some(1)));
    assert_eq!((&lines[0]["domain"], &lines[0]["ts"]), (&"github.com".into(), &"2026-01-01T00:00:00.01Z".into()));
    assert_eq!(lines[1]["reason"], "no-observation");
    assert_eq!((&lines[2]["summary"]["allowed"], &lines[2]["summary"]["refused"]), (&1.into(), &1.into()));
}

#[test]
fn a_file_that_is_no_capture_or_damaged_is_an_error_and_no_answer() {
    let output = replay(b"rubbish", &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("it is no capture: neither pcap nor pcapng"), "{}", text(&output.stderr));
    let whole = session(Family::V4, false);
    let output = replay(&whole[..whole.len() - 3], &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).ends_with("note: the capture ends within a packet\n"), "{}", text(&output.stdout));
}
