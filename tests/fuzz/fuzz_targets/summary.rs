//! A packet that the kernel reports.

#![no_main]

use decider::packet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(summary) = packet::summary(bytes) {
        let (client, dst) = summary.ends();
        assert_eq!(client.is_ipv4(), dst.is_ipv4());
    }
});
