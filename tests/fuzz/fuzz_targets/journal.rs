//! What a run left on the disk.

#![no_main]

use std::time::Duration;

use decider::dns::journal::{Header, MAX_LINE, encode, encode_header, read};
use decider::model::Moment;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    check(&sealed(bytes));
});

/// Each line with its checksum in front, which no fuzzer would guess.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let lines = bytes.split(|&byte| byte == b'\n');
    lines.flat_map(|line| [format!("{:08x} ", crc32fast::hash(line)).as_bytes(), line, b"\n"].concat()).collect()
}

fn check(bytes: &[u8]) {
    let present = Header::new("fuzz", Duration::from_secs(1_700_000_000), Moment::from_secs(1_000));
    let now = Moment::from_secs(2_000);
    let saved = read(bytes, &present, now);
    for record in &saved.records {
        assert!(record.learned <= now && record.is_live(now));
        let line = encode(record);
        assert!(line.len() <= MAX_LINE);
        let again = read(format!("{}\n{line}\n", encode_header(&present)).as_bytes(), &present, now);
        assert_eq!(again.records, [record.clone()]);
    }
}
