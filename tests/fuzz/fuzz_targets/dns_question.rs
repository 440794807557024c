//! What a client sends to its resolver.

#![no_main]

use decider::dns;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(question) = dns::question(bytes) {
        assert!((1..=255).contains(&question.name.as_bytes().len()));
        if let Some(host) = question.host() {
            // Every dot of a host name is between two labels.
            assert_eq!(host.as_str().len() + 2, question.name.as_bytes().len());
        }
        assert!(dns::answer(bytes).is_err(), "no message is both");
    }
});
