//! What fills the fast path, and what happens when it is full.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;

use super::fast_path::{elements, left_to_kernel, nothing_got_out, on, reaches};
use crate::world::{Actor, Answers, Family, GITHUB, Message, RESOLVER, STRANGER, Setup, World, both, eventually};

/// Elements that one client may have (docs/policy.md).
const SHARE: u64 = 4_096;
/// Addresses of an answer that are looked at.
const AHEAD: u64 = 8;

const RULES: &str = "
  - { domain: github.com, proto: ssh }
  - { domain: \"*.flood.example\", proto: ssh }
";

/// Each name below flood.example has addresses of its own, by the number that it begins with; about others it tells the truth.
fn start() -> (World, Actor) {
    let (world, actor) = Setup { rules: RULES, ..on() }.start_with_actor();
    let zone = Arc::clone(&world.internet.zone);
    actor.says(move |asked| {
        let Some(asked) = Message::decode(asked) else { return vec![] };
        let family = if asked.question.record_type == 1 { Family::V4 } else { Family::V6 };
        let number = asked.question.name.strip_suffix(".flood.example").and_then(|label| label.parse::<u64>().ok());
        let answer = match number {
            Some(number) => {
                let addresses: Vec<IpAddr> = (0..AHEAD).map(|n| address(family, number * AHEAD + n)).collect();
                Some(Message::answer(asked.id, asked.question, &addresses, 3_600))
            }
            None => zone.answer(asked, RESOLVER.of(family)),
        };
        answer.map(|answer| answer.encode()).into_iter().collect()
    });
    (world, actor)
}

fn address(family: Family, number: u64) -> IpAddr {
    let number = u32::try_from(number).unwrap();
    match family {
        Family::V4 => IpAddr::from((0xc612_0000 + number).to_be_bytes()),
        Family::V6 => IpAddr::from((0x2001_0db8_000f_0000_0000_0000_0000_0000_u128 + u128::from(number)).to_be_bytes()),
    }
}

/// How connections to an address were decided.
fn paths(world: &World, to: IpAddr) -> Vec<Value> {
    let events = world.gateway.events();
    events.iter().filter(|event| event["dst"] == to.to_string()).map(|event| event["path"].clone()).collect()
}

#[test]
fn a_client_that_makes_thousands_has_its_share_and_others_keep_their_places() {
    let (world, _actor) = start();
    let flood = &world.clients[0];
    for (full, family) in (1..).zip(Family::BOTH) {
        let look_up = |number: u64| flood.look_up(&format!("{number}.flood.example"), family);
        let enough = SHARE / AHEAD * 3;
        let mut numbers = 0..enough;
        while elements(&world) < full * SHARE {
            let next = numbers.by_ref().take(40).map(look_up).count();
            assert!(next > 0, "{} elements", elements(&world));
        }
        // What finds no place is in nobody's way: it is decided in the queue.
        let late: Vec<IpAddr> = (enough..enough + 20).flat_map(look_up).collect();
        for &to in late.iter().step_by(16) {
            for _ in 0..3 {
                flood.connect(to, 22).unwrap();
            }
            let told = || (paths(&world, to).len() >= 3).then(|| paths(&world, to));
            assert!(eventually("its events", told).iter().all(|path| path == "queue"));
        }
        assert_eq!(elements(&world), full * SHARE);
        let early = address(family, 0);
        flood.connect(early, 22).unwrap();
        eventually("a connection that the kernel decides", || {
            paths(&world, early).contains(&Value::from("fast")).then_some(())
        });
        flood.is_refused(STRANGER.of(family), 22);
    }
    both(|family| drop(left_to_kernel(&world, 1, "github.com", GITHUB, family)));
    assert_eq!(elements(&world), 2 * SHARE + 2);
    nothing_got_out(&world);
}

#[test]
fn an_answer_is_enough_for_the_first_connection() {
    let world = on().start();
    for (known, family) in (1..).zip(Family::BOTH) {
        assert_eq!(world.clients[0].look_up("github.com", family), [GITHUB.of(family)]);
        eventually("an element", || (elements(&world) == known).then_some(()));
        reaches(&world, 0, GITHUB, family);
        let told = || Some(paths(&world, GITHUB.of(family))).filter(|paths| !paths.is_empty());
        assert_eq!(eventually("its event", told), ["fast"]);
        // Nobody else has anything of it.
        world.clients[0].is_refused(STRANGER.of(family), 22);
        assert_eq!(elements(&world), known);
    }
    nothing_got_out(&world);
}
