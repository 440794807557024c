//! A flow that was open before the start gets no further: decider never decided on it.

use crate::world::{Family, GITHUB, OpenFlow, STRANGER, Setup};

#[test]
fn flows_from_before_the_start_are_cut() {
    let mut world = Setup::default().build();
    let mut flows: Vec<OpenFlow> = [STRANGER, GITHUB]
        .into_iter()
        .flat_map(|host| Family::BOTH.map(|family| host.of(family)))
        .flat_map(|address| [22, 8022].map(|port| (address, port)))
        .map(|(address, port)| OpenFlow::new(world.clients[0].connect(address, port).unwrap()))
        .collect();
    assert!(flows.iter_mut().all(OpenFlow::is_alive));
    assert!(!world.internet.wire.leaked().is_empty());
    world.gateway.start();
    world.internet.wire.forget();
    for flow in &mut flows {
        assert!(!flow.is_alive(), "{} can still be talked to", flow.server);
    }
    assert_eq!(world.internet.wire.leaked(), []);
    for host in [STRANGER, GITHUB] {
        for address in host.both() {
            for port in [22, 8022] {
                world.gateway.event(address, port, "not-a-syn");
            }
        }
    }
    world.clients[0].is_refused(STRANGER.of(Family::V4), 22);
    world.gateway.adds_up();
    let refused = &world.gateway.status()["refused_in_kernel"]["not-a-syn"];
    assert!(refused.as_u64().unwrap() >= flows.len() as u64, "{refused}");
}
