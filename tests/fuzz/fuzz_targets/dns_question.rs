//! What a client sends to its resolver.

#![no_main]

use decider::dns::{self, Nothing, Outcome, Reply};
use libfuzzer_sys::fuzz_target;

const REPLIES: [Reply; 4] =
    [Reply::QueryNotAllowed, Reply::TooManyQueries, Reply::PrivateAddress, Reply::NoSuchName];

fuzz_target!(|bytes: &[u8]| {
    if let Ok(question) = dns::question(bytes) {
        assert!((1..=255).contains(&question.name.as_bytes().len()));
        if let Some(host) = question.host() {
            // Every dot of a host name is between two labels.
            assert_eq!(host.as_str().len() + 2, question.name.as_bytes().len());
        }
        assert!(dns::answer(bytes).is_err(), "no message is both");
        for reply in REPLIES {
            // What decider answers by itself is an answer to that very question, which teaches nothing.
            let answer = dns::answer(&reply.to(bytes).unwrap()).unwrap();
            assert_eq!(answer.question, question);
            assert!(matches!(answer.outcome, Outcome::Nothing(Nothing::Failed(3 | 5))));
        }
    }
});
