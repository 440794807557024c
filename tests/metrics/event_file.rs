//! Events in a file, when they come faster than they are written.

use std::path::Path;
use std::time::{Duration, Instant};

use decider::model::{Reason, Verdict};
use decider::record::{Export, Follower, Recorder, RecorderHandle, Rotation};
use serde_json::Value;

use crate::record::record;

fn recorder() -> RecorderHandle {
    Recorder::start(Box::new(|_| None), Box::new(|_| decider::model::Who::default()), std::time::Duration::ZERO)
        .unwrap()
}

/// Decisions that are all different, so that none are put together.
fn decide(recorder: &RecorderHandle, ports: std::ops::Range<u16>) {
    for port in ports {
        let mut record = record(Verdict::Deny, Reason::NoObservation, None, Duration::from_micros(1));
        record.dst.set_port(port);
        recorder.records.send(record).unwrap();
    }
}

/// The lines that are whole: the last one may be being written.
fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let (whole, _) = text.rsplit_once('\n').unwrap_or_default();
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn eventually<T>(mut probe: impl FnMut() -> Option<T>) -> T {
    #[expect(clippy::disallowed_methods, reason = "tests measure time themselves")]
    let began = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn rotation(folder: &Path) -> Rotation {
    Rotation { path: folder.join("e.jsonl"), size: 1 << 30, keep: 1, group: None }
}

#[test]
fn what_it_was_too_slow_for_is_counted_and_told_where_it_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder();
    // Nobody reads it yet.
    let (_, late): (_, Follower) = recorder.follow(0);
    decide(&recorder, 1..40_000);
    eventually(|| (recorder.follow(1).0.first()?.dst_port == 39_999).then_some(()));
    let state = Export::start(late, rotation(folder.path())).unwrap();
    let path = folder.path().join("e.jsonl");
    let lines = eventually(|| {
        let lines = lines(&path);
        (lines.last()?["dst_port"] == 39_999).then_some(lines)
    });
    let missed = lines[0]["gap"].as_u64().unwrap();
    let events: Vec<u64> = lines[1..].iter().map(|line| line["dst_port"].as_u64().unwrap()).collect();
    assert!(events.iter().copied().eq(missed + 1..40_000), "a hole or a double");
    assert_eq!(eventually(|| Some(state.written.value()).filter(|&count| count + missed == 39_999)), 39_999 - missed);
    assert_eq!((state.lost.value(), state.failure()), (missed, None));
}

#[test]
fn a_place_that_cannot_be_written_is_tried_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder();
    let rotation = rotation(&folder.path().join("missing"));
    let state = Export::start(recorder.follow(0).1, rotation.clone()).unwrap();
    eventually(|| state.failure());
    decide(&recorder, 1..11);
    eventually(|| (state.lost.value() == 10).then_some(()));
    std::fs::create_dir(folder.path().join("missing")).unwrap();
    eventually(|| state.failure().is_none().then_some(()));
    decide(&recorder, 20..22);
    let lines = eventually(|| Some(lines(&rotation.path)).filter(|lines| lines.len() == 3));
    assert_eq!((&lines[0]["gap"], &lines[1]["dst_port"], &lines[2]["dst_port"]), (&10.into(), &20.into(), &21.into()));
    assert_eq!(state.written.value(), 2);
}
