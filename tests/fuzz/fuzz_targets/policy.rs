//! A policy file.

#![no_main]

use decider::model::Epoch;
use decider::policy::{Colour, Policy, SlotTable, load_bytes, render_diagnostics};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match load_bytes(bytes) {
        Ok(loaded) => {
            let mut slots = SlotTable::default();
            if slots.assign(&loaded.spec).is_ok() {
                Policy::compile(loaded.spec, &slots, Epoch(1)).expect("every rule has a slot");
            }
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            let text = String::from_utf8_lossy(bytes);
            assert!(!render_diagnostics("policy.yaml", &text, &problems, Colour::Off).is_empty());
        }
    }
});
