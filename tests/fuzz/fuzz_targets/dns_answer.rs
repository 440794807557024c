//! What a resolver sends to a client.

#![no_main]

use decider::dns::{self, Outcome, Reply};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(answer) = dns::answer(bytes) {
        assert!(dns::question(bytes).is_err(), "no message is both");
        // What is refused in its place answers the same question.
        let refused = dns::answer(&Reply::PrivateAddress.to(bytes).unwrap()).unwrap();
        assert_eq!(refused.question, answer.question);
        match answer.outcome {
            Outcome::Addresses { name, found } => {
                assert_eq!(Some(name), answer.question.host());
                assert!((1..=4096).contains(&found.len()));
                match answer.question.qtype {
                    1 => assert!(found.iter().all(|found| found.addr.is_ipv4())),
                    28 => assert!(found.iter().all(|found| found.addr.is_ipv6())),
                    64 | 65 => {}
                    other => panic!("learned from type {other}"),
                }
            }
            Outcome::Nothing(_) => {}
        }
    }
});
