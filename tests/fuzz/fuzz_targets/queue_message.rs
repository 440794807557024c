//! What the kernel says on a queue's socket.

#![no_main]

use decider::packet;
use decider::queue::netlink::Message;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| match Message::read(bytes) {
    Some(Message::Packet(held)) => {
        // A packet is what came, and nothing beside it.
        assert!(bytes.as_ptr_range().contains(&held.bytes.as_ptr()) || held.bytes.is_empty());
        assert!(held.bytes.len() < bytes.len());
        let _ = packet::syn(held.bytes);
        // What is behind the message changes nothing.
        assert_eq!(Message::read(&[bytes, &[0xee; 40]].concat()), Some(Message::Packet(held)));
    }
    Some(Message::Refused(error)) => assert_ne!(error, 0),
    Some(Message::Other) | None => {}
});
