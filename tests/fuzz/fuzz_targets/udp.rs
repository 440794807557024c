//! A packet in the DNS queue.

#![no_main]

use decider::packet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(datagram) = packet::udp(bytes) {
        assert_eq!(datagram.src.is_ipv4(), datagram.dst.is_ipv4());
        assert!(datagram.payload.len() + 28 <= bytes.len());
        let summary = packet::summary(bytes).expect("a datagram can be told of");
        assert_eq!(summary.ends(), (datagram.src, datagram.dst));
    }
});
