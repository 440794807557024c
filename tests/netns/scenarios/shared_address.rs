//! Two allowed names on one address: each client gets what it asked for last, whatever others ask.

use crate::world::{Family, SHARED, Setup, World, both, listener_connections};

fn connect(world: &World, family: Family) {
    assert!(SHARED.both().contains(&world.clients[0].reach(SHARED.of(family), 22).unwrap()));
}

fn asks(world: &World, client: usize, name: &str, family: Family) {
    assert_eq!(world.clients[client].look_up(name, family), [SHARED.of(family)]);
}

#[test]
fn the_clients_own_last_question_wins() {
    let world = Setup::default().start();
    world.internet.zone.put("unknown.example", &SHARED.both());
    both(|family| {
        for (name, other) in [("one.example", "two.example"), ("two.example", "one.example")].repeat(10) {
            let before = listener_connections(&world.gateway);
            asks(&world, 0, name, family);
            asks(&world, 1, other, family);
            asks(&world, 1, "unknown.example", family);
            connect(&world, family);
            connect(&world, family);
            let after = listener_connections(&world.gateway);
            assert_eq!(after[name] - before[name], 2, "{name} over {family:?}");
            assert_eq!(after[other], before[other]);
        }
        // A name of no rule on the same address takes nothing away.
        asks(&world, 0, "unknown.example", family);
        connect(&world, family);
        let event = world.gateway.event(SHARED.of(family), 22, "allowed");
        assert_eq!(event["domain"], "two.example");
        assert_eq!(event["also"], serde_json::json!(["one.example"]), "{event}");
    });
    assert_eq!(world.internet.wire.leaked(), []);
}

#[test]
fn a_client_that_asked_nothing_gets_what_others_were_told() {
    let world = Setup::default().start();
    both(|family| {
        asks(&world, 1, "two.example", family);
        connect(&world, family);
        assert_eq!(world.gateway.event(SHARED.of(family), 22, "allowed")["domain"], "two.example");
    });
    let world = Setup { dns: ", scope: client", ..Setup::default() }.start();
    both(|family| {
        asks(&world, 1, "two.example", family);
        world.clients[0].is_refused(SHARED.of(family), 22);
        world.gateway.event(SHARED.of(family), 22, "no-observation");
        assert_eq!(world.internet.wire.to(SHARED.of(family)), []);
    });
}

#[test]
fn what_is_ambiguous_is_refused_if_the_policy_says_so() {
    let world = Setup { dns: ", on_ambiguous: deny", ..Setup::default() }.start();
    both(|family| {
        asks(&world, 0, "one.example", family);
        asks(&world, 1, "two.example", family);
        connect(&world, family);
        asks(&world, 0, "two.example", family);
        world.internet.wire.forget();
        world.clients[0].is_refused(SHARED.of(family), 22);
        let event = world.gateway.event(SHARED.of(family), 22, "ambiguous");
        assert_eq!(event["also"], serde_json::json!(["one.example"]), "{event}");
        assert_eq!(world.internet.wire.leaked(), []);
    });
}
