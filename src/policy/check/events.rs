use crate::policy::fields::Fields;
use crate::policy::keys;
use crate::policy::spec::EventFile;
use crate::policy::value::{bytes, file, number};

const SIZE: u64 = 64 << 20;
/// Some hundred events: less would be rotated away while it is read.
const LEAST_SIZE: u64 = 64 << 10;
const MOST_SIZE: u64 = 1024 << 30;
const KEEP: u32 = 4;
const MOST_KEPT: u64 = 100;

/// Reads `events`, where it is there.
pub fn check(policy: &Fields<'_, '_>) -> Option<EventFile> {
    let events = policy.section(&keys::EVENTS, "events")?;
    events.require("file", "say where events are written: `file: /var/log/decider/events.jsonl`");
    let path = events.scalar("file", file);
    let rotation = rotation(&events);
    let (path, (size, keep)) = (path?, rotation?);
    Some(EventFile { path, size, keep })
}

fn rotation(events: &Fields<'_, '_>) -> Option<(u64, u32)> {
    if !events.has("rotate") {
        return Some((SIZE, KEEP));
    }
    let rotate = events.section(&keys::ROTATE, "rotate")?;
    let size = rotate.or("size", SIZE, bytes(LEAST_SIZE..=MOST_SIZE));
    let keep = rotate.or("keep", u64::from(KEEP), number(1..=MOST_KEPT, "number of older files"));
    Some((size?, u32::try_from(keep?).unwrap_or(KEEP)))
}
