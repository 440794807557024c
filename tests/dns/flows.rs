use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use decider::dns::{Flow, Flows, Held};
use decider::model::{ClientId, DomainName, Mark};

const GITHUB: Mark = Mark(0x4000_0000);
const GITLAB: Mark = Mark(0x4000_0100);

fn flow(client: u8, port: u16) -> Flow {
    let (client, dst): (IpAddr, IpAddr) = if port.is_multiple_of(2) {
        ([10, 77, 1, client].into(), [192, 0, 2, 1].into())
    } else {
        (format!("fd77:1::{client}").parse().unwrap(), "2001:db8::1".parse().unwrap())
    };
    Flow { client: SocketAddr::new(client, port), dst: SocketAddr::new(dst, 22) }
}

fn held(flow: Flow, name: &str) -> Held {
    let name = DomainName::parse(name).unwrap();
    Held { client: ClientId(flow.client.ip()), addr: flow.dst.ip(), name, borrowed: false }
}

/// Takes note of a flow that holds github.com: what is released for it.
fn begins(flows: &mut Flows, flow: Flow) -> Vec<Held> {
    flows.begin(flow, GITHUB, || Some(held(flow, "github.com")))
}

#[test]
fn a_flow_holds_once_however_often_it_is_heard_of() {
    let mut flows = Flows::new();
    for port in [40_000, 40_001] {
        let flow = flow(1, port);
        assert_eq!(begins(&mut flows, flow), []);
        let again = flows.begin(flow, GITHUB, || unreachable!("it holds already"));
        assert_eq!(again, []);
        assert_eq!(flows.end(flow), Some(held(flow, "github.com")));
        assert_eq!(flows.end(flow), None);
    }
    assert!(flows.is_empty());
}

#[test]
fn a_flow_that_holds_nothing_may_yet() {
    let mut flows = Flows::new();
    assert_eq!(flows.begin(flow(1, 40_000), GITHUB, || None), []);
    assert!(flows.is_empty());
    begins(&mut flows, flow(1, 40_000));
    assert_eq!(flows.len(), 1);
}

#[test]
fn another_flow_between_the_same_ends_takes_the_place_of_the_first() {
    let mut flows = Flows::new();
    let flow = flow(1, 40_001);
    begins(&mut flows, flow);
    let released = flows.begin(flow, GITLAB, || Some(held(flow, "gitlab.com")));
    assert_eq!(released, [held(flow, "github.com")]);
    assert_eq!(flows.end(flow), Some(held(flow, "gitlab.com")));
}

#[test]
fn a_client_with_too_many_flows_loses_the_hold_of_its_own_oldest() {
    let mut flows = Flows::with_room(100, 3);
    begins(&mut flows, flow(2, 40_000));
    let ports = [40_000, 40_002, 40_004, 40_006];
    let released: Vec<Held> = ports.iter().flat_map(|&port| begins(&mut flows, flow(1, port))).collect();
    assert_eq!(released, [held(flow(1, 40_000), "github.com")]);
    assert_eq!(flows.end(flow(1, 40_000)), None);
    assert!(flows.end(flow(2, 40_000)).is_some());
    assert_eq!(flows.len(), 3);
}

#[test]
fn when_there_are_too_many_it_is_the_one_with_most_that_loses() {
    let mut flows = Flows::with_room(3, 3);
    let all = [flow(1, 40_000), flow(2, 40_000), flow(2, 40_002), flow(3, 40_000)];
    let released: Vec<Held> = all.iter().flat_map(|&flow| begins(&mut flows, flow)).collect();
    assert_eq!(released, [held(flow(2, 40_000), "github.com")]);
}

#[test]
fn a_look_at_all_of_them_ends_those_whose_end_was_missed() {
    let mut flows = Flows::new();
    for port in 40_000..40_004 {
        begins(&mut flows, flow(1, port));
    }
    let living: HashSet<Flow> = [flow(1, 40_001), flow(1, 40_002), flow(2, 40_000)].into();
    let mut released: Vec<IpAddr> = flows.end_all_but(&living).iter().map(|held| held.addr).collect();
    released.sort();
    assert_eq!(released, [flow(1, 40_000).dst.ip(), flow(1, 40_003).dst.ip()]);
    assert_eq!(flows.len(), 2);
}
