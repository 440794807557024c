//! Allowed names that lead to where no client of the internet should get.

use std::net::IpAddr;

use super::{Scene, hears};
use crate::messages::bytes::{Message, REFUSED, address, answer, name, question, record};
use crate::world::{CLIENTS, Family, GATEWAY, GATEWAY_INSIDE, GITHUB, Setup, Wire, all_ways, both};

/// Where an allowed name must not lead.
fn inside(family: Family) -> Vec<IpAddr> {
    let texts: &[&str] = match family {
        Family::V4 => &[
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.1.1",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "0.0.0.0",
        ],
        Family::V6 => &[
            "fd12::1",
            "fc00::1",
            "fe80::1",
            "::1",
            "::",
            "ff02::1",
            "::ffff:10.1.2.3",
            "::ffff:198.51.100.10",
            "64:ff9b::a01:203",
            "fd00:ec2::254",
        ],
    };
    let own = [CLIENTS[0], CLIENTS[1], GATEWAY, GATEWAY_INSIDE].map(|pair| pair.of(family));
    texts.iter().map(|text| text.parse().unwrap()).chain(own).collect()
}

fn at(family: Family, inside: IpAddr) -> Vec<u8> {
    let data = match inside {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    record(&name("github.com"), family.kind(), 300, &data)
}

#[test]
fn line_06_addresses_that_are_not_believed_do_not_reach_the_client() {
    let mut scene = Scene::start(Setup::default());
    let neighbour = Wire::watch(&scene.world.clients[1].namespace);
    all_ways(|family, carrier| {
        let client = scene.world.clients[0].address(family).to_string();
        for inside in inside(family) {
            let what = &format!("{inside} over {carrier:?}");
            let refused = Message { flags: REFUSED, ..question(family, "github.com") }.bytes();
            // Alone, and beside one that would be believed: which is not learned, as the client does not get it.
            let alone = answer(family, "github.com").answer(at(family, inside));
            let beside = alone.clone().answer(address(family, 66));
            let mut talk = scene.talk(family, carrier);
            for told in [alone, beside] {
                scene.lies(vec![told.bytes()]);
                talk.say(&question(family, "github.com").bytes());
                hears(&mut talk, family, std::slice::from_ref(&refused), what);
            }
            scene.counts(&[("questions", 4), ("private", 2), ("taught_nothing", 2)], what);
            let event = scene.world.gateway.event_by(carrier.word(), inside, 0, "private-address");
            assert_eq!((&event["domain"], &event["verdict"]), (&"github.com".into(), &"deny".into()), "{event}");
            let told = ["explain", "--client", &client, "--dst", &inside.to_string(), "--port", "22"];
            assert_eq!(scene.world.gateway.cli(&told).status.code(), Some(1), "{what}");
        }
        // Those that a packet gets from the client to the gateway for.
        let (private, translated) = match family {
            Family::V4 => ("10.1.2.3", "192.168.1.1"),
            Family::V6 => ("fd12::1", "64:ff9b::a01:203"),
        };
        for address in
            [private, translated].map(|text| text.parse().unwrap()).into_iter().chain([CLIENTS[1].of(family)])
        {
            scene.world.clients[0].is_refused(address, 22);
            scene.world.gateway.event(address, 22, "private-address");
            assert_eq!(scene.world.internet.wire.to(address), []);
        }
        scene.world.clients[0].is_refused(GATEWAY.of(family), 22);
        scene.world.gateway.event(GATEWAY.of(family), 22, "local-service");
        scene.stranger_is_refused(family, "no-observation");
    });
    assert_eq!(neighbour.seen(), []);
    scene.ends();
}

#[test]
fn line_06_the_proxy_is_no_way_in() {
    let (mut world, actor) = Setup::default().build_with_actor();
    let hidden = |family| match family {
        Family::V4 => "192.168.9.9".parse::<IpAddr>().unwrap(),
        Family::V6 => "fd99::9".parse().unwrap(),
    };
    world.internet.namespace.sh("ip route add local 192.168.9.9 dev lo; ip -6 route add local fd99::9 dev lo");
    // To Envoy the name is private, to the client it is not.
    world.internet.zone.put("github.com", &Family::BOTH.map(hidden));
    actor.says(|asked| {
        let family = Family::BOTH.into_iter().find(|&family| asked == question(family, "github.com").bytes());
        family.map(|family| answer(family, "github.com").answer(address(family, 10)).bytes()).into_iter().collect()
    });
    world.gateway.start();
    let scene = Scene::of(world, actor);
    let refused = || scene.world.gateway.status()["refused_in_kernel"]["private-address"].as_u64().unwrap_or(0);
    all_ways(|family, carrier| {
        let mut talk = scene.talk(family, carrier);
        talk.say(&question(family, "github.com").bytes());
        talk.hear().unwrap();
        let before = refused();
        // decider allows it, Envoy takes it, and gets nowhere.
        assert!(scene.world.clients[0].reach(GITHUB.of(family), 22).is_err());
        scene.world.gateway.event(GITHUB.of(family), 22, "allowed");
        assert!(refused() > before, "over {family:?}");
    });
    both(|family| {
        assert_eq!(scene.world.internet.wire.to(hidden(family)), []);
        assert_eq!(scene.world.internet.wire.to(GITHUB.of(family)), []);
    });
    scene.ends();
}
