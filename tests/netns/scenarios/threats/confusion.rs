//! Who meant what, where names share addresses or addresses change hands.

use std::net::IpAddr;
use std::time::Duration;

use super::Scene;
use super::many::{many_addresses, nth_address};
use crate::messages::bytes::{address, answer, question};
use crate::world::{
    Carrier, Family, Message as Told, Question, SHARED, Setup, Talk, all_ways, both, listener_connections,
};

const TURNS: usize = 100;

/// A client asks for a name by what carries that turn's questions, and is told an address.
fn asks(scene: &Scene, client: usize, turn: usize, name: &str, family: Family) -> Vec<IpAddr> {
    let mut talk = Talk::open(&scene.world.clients[client], family, Carrier::BOTH[turn / 2 % 2]);
    talk.say(&Told::query(u16::try_from(turn).unwrap(), Question::new(name, family)).encode());
    Told::decode(&talk.hear().unwrap()).unwrap().addresses
}

/// The first client connects to the shared address: whose listener takes it.
fn listener(scene: &Scene, family: Family) -> String {
    let before = listener_connections(&scene.world.gateway);
    assert!(SHARED.both().contains(&scene.world.clients[0].reach(SHARED.of(family), 22).unwrap()));
    let after = listener_connections(&scene.world.gateway);
    let more: Vec<String> = after.into_iter().filter(|(name, count)| before[name] < *count).map(|(n, _)| n).collect();
    assert_eq!(more.len(), 1, "{more:?}");
    more[0].clone()
}

#[test]
fn line_11_of_two_allowed_names_on_one_address_the_last_asked_for_counts() {
    let scene = Scene::start(Setup::default());
    both(|family| {
        for turn in 0..TURNS {
            let name = ["one.example", "two.example"][turn % 2];
            assert_eq!(asks(&scene, 0, turn, name, family), [SHARED.of(family)]);
            assert_eq!(listener(&scene, family), name, "turn {turn}");
        }
    });
    let counters = scene.world.gateway.adds_up();
    assert_eq!((&counters["allowed"], &counters["denied"]), (&(2 * TURNS).into(), &0.into()), "{counters}");
    scene.ends();
}

#[test]
fn line_11_a_name_of_no_rule_neither_opens_nor_closes_an_address() {
    let scene = Scene::start(Setup::default());
    scene.world.internet.zone.put("unknown.example", &SHARED.both());
    both(|family| {
        // Alone it opens nothing.
        asks(&scene, 0, 0, "unknown.example", family);
        scene.world.clients[0].is_refused(SHARED.of(family), 22);
        let event = scene.world.gateway.event(SHARED.of(family), 22, "name-not-allowed");
        assert_eq!(event["domain"], "unknown.example", "{event}");
        assert_eq!(scene.world.internet.wire.to(SHARED.of(family)), []);
        for turn in 0..TURNS {
            asks(&scene, 0, turn, ["one.example", "unknown.example"][turn % 2], family);
            assert_eq!(listener(&scene, family), "one.example", "turn {turn}");
        }
    });
    let counters = scene.world.gateway.adds_up();
    assert_eq!((&counters["allowed"], &counters["denied"]), (&(2 * TURNS).into(), &6.into()), "{counters}");
    scene.ends();
}

#[test]
fn line_12_what_another_client_asks_for_changes_nothing() {
    let scene = Scene::start(Setup::default());
    scene.world.internet.zone.put("unknown.example", &SHARED.both());
    both(|family| {
        asks(&scene, 0, 0, "one.example", family);
        for turn in 0..TURNS {
            let other = ["two.example", "unknown.example", "two.example", "one.example"][turn % 4];
            assert_eq!(asks(&scene, 1, turn, other, family), [SHARED.of(family)]);
            assert_eq!(listener(&scene, family), "one.example", "turn {turn}");
        }
    });
    let counters = scene.world.gateway.adds_up();
    assert_eq!((&counters["allowed"], &counters["denied"]), (&(2 * TURNS).into(), &0.into()), "{counters}");
    scene.ends();
}

#[test]
fn line_13_an_address_is_somebody_elses_a_second_after_its_time() {
    let scene = Scene::start(Setup { dns: ", min_ttl: 1s, grace: 1s, max_ttl: 1s", ..Setup::default() });
    // Each way has an address of its own.
    let n =
        |family: Family, carrier: Carrier| 20 + u8::from(family == Family::V6) * 2 + u8::from(carrier == Carrier::Tcp);
    let learns = |family, carrier, asked: &str| {
        let told = answer(family, asked).answer(address(family, n(family, carrier))).bytes();
        scene.actor.says(move |_| vec![told.clone()]);
        let mut talk = scene.talk(family, carrier);
        talk.say(&question(family, asked).bytes());
        talk.hear().unwrap();
        family.address(n(family, carrier))
    };
    let explained = |family: Family, address: IpAddr| {
        let (client, dst) = (scene.world.clients[0].address(family).to_string(), address.to_string());
        scene.world.gateway.cli(&["explain", "--client", &client, "--dst", &dst, "--port", "22"]).status.code()
    };
    all_ways(|family, carrier| {
        let address = learns(family, carrier, "github.com");
        assert_eq!(explained(family, address), Some(0), "{address}");
    });
    // Nothing is sent meanwhile that could make decider tidy up.
    std::thread::sleep(Duration::from_secs(3));
    all_ways(|family, carrier| {
        let address = family.address(n(family, carrier));
        scene.world.clients[0].is_refused(address, 22);
        let event = scene.world.gateway.event(address, 22, "observation-expired");
        assert_eq!(event["domain"], "github.com", "{event}");
        assert_eq!(scene.world.internet.wire.to(address), []);
        // It is whose the next answer says.
        learns(family, carrier, "db.example.com");
        scene.world.clients[0].is_refused(address, 22);
        assert_eq!(scene.world.gateway.event(address, 22, "port-not-allowed")["domain"], "db.example.com");
    });
    scene.ends();
}

/// As many addresses as fit a message.
fn all_that_fit(family: Family, carrier: Carrier) -> u32 {
    (super::room(carrier) - 28) / if family == Family::V4 { 16 } else { 28 }
}

#[test]
fn line_15_each_of_thousands_of_addresses_is_reached() {
    let scene = Scene::start(Setup::default());
    let mut connected = 0u64;
    all_ways(|family, carrier| {
        let count = all_that_fit(family, carrier);
        // Others over TCP than over UDP.
        let first = if carrier == Carrier::Tcp { 10_000 } else { 0 };
        let told = many_addresses(family, 0x1234, "github.com", first, count);
        assert!(count > 2_300 && told.len() > 65_000, "{count} in {}", told.len());
        scene.actor.says(move |_| vec![told.clone()]);
        let mut talk = scene.talk(family, carrier);
        talk.say(&question(family, "github.com").bytes());
        talk.hear().unwrap();
        for n in (0..count).step_by(16).chain([count - 1]) {
            let address = nth_address(family, first + n);
            drop(scene.world.clients[0].connect(address, 22).unwrap_or_else(|error| panic!("{n}: {error}")));
            connected += 1;
        }
    });
    let counters = scene.world.gateway.adds_up();
    assert_eq!((&counters["allowed"], &counters["denied"]), (&connected.into(), &0.into()), "{counters}");
    scene.ends();
}

/// Answers, and addresses in each: more than a name's share of the cache holds.
const ANSWERS: u16 = 60;
const COUNT: u32 = 1_000;

#[test]
fn line_15_all_addresses_change_with_every_answer() {
    let scene = Scene::start(Setup { dns: ", min_ttl: 1s, grace: 1s", ..Setup::default() });
    scene.actor.says(|asked| {
        let id = u16::from_be_bytes([asked[0], asked[1]]);
        let family = if Told::decode(asked).unwrap().question.record_type == 1 { Family::V4 } else { Family::V6 };
        vec![many_addresses(family, id, "github.com", u32::from(id) * COUNT, COUNT)]
    });
    all_ways(|family, carrier| {
        let mut talk = scene.talk(family, carrier);
        for id in 0..ANSWERS {
            talk.say(&Told::query(id, Question::new("github.com", family)).encode());
            let told = Told::decode(&talk.hear().unwrap()).unwrap().addresses;
            assert_eq!(told.len(), 1_000);
            for address in [told[0], told[usize::from(id) * 16], told[999]] {
                let connection = scene.world.clients[0].connect(address, 22);
                drop(connection.unwrap_or_else(|error| panic!("answer {id}: {address}: {error}")));
            }
        }
    });
    let counters = scene.world.gateway.adds_up();
    let connected = 4 * 3 * u64::from(ANSWERS);
    assert_eq!((&counters["allowed"], &counters["denied"]), (&connected.into(), &0.into()), "{counters}");
    scene.ends();
}
