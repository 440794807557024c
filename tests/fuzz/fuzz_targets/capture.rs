//! A capture file, played to its end: as it is, and its bytes as the packets of a whole one.

#![no_main]

use decider::model::{Epoch, Moment};
use decider::policy::{Policy, SlotTable, load};
use decider::replay::{Capture, Captured, Clients, Player};
use libfuzzer_sys::fuzz_target;

const POLICY: &str = "\
version: 1
intercept: { gateway: { interfaces: [lan0] } }
dns: { capacity: 1000, resolvers: [10.77.2.53, \"fd77:2::53\"] }
rules:
  - { domain: github.com, proto: ssh }
";

fuzz_target!(|bytes: &[u8]| {
    let mut player = player();
    if let Ok(mut capture) = Capture::open(bytes) {
        let _ = capture.each(|captured| player.play(&captured, |_| {}));
    }
    play_packets(bytes, &mut self::player());
});

/// Raw IP packets, each with two bytes of length in front.
fn play_packets(mut bytes: &[u8], player: &mut Player) {
    let mut at = Moment::from_secs(1);
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let (packet, rest) = rest.split_at(rest.len().min(u16::from_be_bytes(*length).into()));
        player.play(&Captured { at, link: 101, bytes: packet, is_cut: false }, |_| {});
        at = Moment::from_nanos(at.nanos() + 1_000_000_000);
        bytes = rest;
    }
}

fn player() -> Player {
    let spec = load(POLICY).expect("the policy is sound").spec;
    let mut slots = SlotTable::default();
    slots.assign(&spec).expect("one rule has a slot");
    let policy = Policy::compile(spec, &slots, Epoch::default()).expect("the policy compiles");
    Player::new(policy, Clients::default())
}
