//! A packet in the SYN queue.

#![no_main]

use decider::packet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(syn) = packet::syn(bytes) {
        assert_eq!(syn.client.is_ipv4(), syn.dst.is_ipv4());
        let summary = packet::summary(bytes).expect("a SYN can be told of");
        assert_eq!(summary.ends(), (syn.client, syn.dst));
        // What is behind the end of the packet changes nothing.
        assert_eq!(packet::syn(&[bytes, &[0xee; 40]].concat()), Ok(syn));
    }
});
