//! A line on the control socket.

#![no_main]

use decider::control::{parse_request, request_line};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = parse_request(bytes) {
        assert_eq!(parse_request(request_line(&request).as_bytes()), Ok(request));
    }
});
