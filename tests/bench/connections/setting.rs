use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::listener::{Listener, Manner};
use crate::load::{Load, Work};
use crate::path::Path;
use crate::world::{Family, Internet, Process, RESOLVER, Resolver, STRANGER, Setup, World, both, eventually};
use crate::{accept_all, ask, names, rivals, saved, stand_in};

/// The rule that allows the destinations.
const RULE: &str = "*.names.example:22/ssh";

/// A path, and how much decider knows on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub path: Path,
    pub rules: usize,
    pub observations: usize,
}

/// A path, built: client, gateway, server.
pub struct Setting {
    pub size: Size,
    pub world: World,
    /// From its start until all was in force, where decider runs.
    pub start: Option<Duration>,
    /// Held, so that they go on.
    _held: (Resolver, Option<Process>),
}

impl Setting {
    pub fn build(size: Size) -> Self {
        let Size { path, rules, observations } = size;
        let mut world = world(path, rules, observations);
        world.gateway.arguments.clear();
        let resolver = Resolver::start(&world.internet.namespace, &RESOLVER.both(), &world.internet.zone);
        names::publish(&world.internet.zone, observations.min(names::MOST));
        // What the tests watch the far side with has no place in a measurement.
        world.internet.namespace.sh("nft delete table inet wire");
        let gateway = &world.gateway;
        let program = match path {
            Path::None => {
                rivals::none(gateway);
                None
            }
            Path::NftSet => {
                rivals::nft_set(gateway, observations);
                None
            }
            Path::QueueC => Some(rivals::queue(gateway, accept_all::in_c)),
            Path::QueueNfq => Some(rivals::queue(gateway, accept_all::by_nfq)),
            Path::DnatEnvoy => Some(rivals::dnat_envoy(gateway)),
            Path::Nfq | Path::Batched | Path::Fast | Path::Envoy => None,
        };
        if path.waits_for_server() {
            for address in STRANGER.both() {
                Listener::start(&world.internet.namespace, (address, 22).into(), Manner::Server);
            }
        }
        let mut setting = Self { size, world, start: None, _held: (resolver, program) };
        if path.is_decider() {
            setting.start = Some(setting.start_decider());
            setting.learn(Family::V4);
        }
        setting
    }

    fn start_decider(&mut self) -> Duration {
        let Size { path, observations, .. } = self.size;
        let gateway = &mut self.world.gateway;
        if path == Path::Nfq {
            gateway.arguments.extend(["--queue-backend", "nfq"].map(str::to_owned));
        }
        if observations > names::MOST {
            saved::write(&gateway.path("state"), u32::try_from(observations - names::MOST).unwrap());
        }
        if path != Path::Envoy {
            gateway.leave_envoy_to_others();
            stand_in::start(&gateway.path("envoy"));
        }
        let began = std::time::Instant::now();
        gateway.start();
        let took = began.elapsed();
        if path != Path::Envoy {
            let port = stand_in::port_of(&gateway.path("envoy"), RULE);
            for family in Family::BOTH {
                Listener::start(&gateway.namespace, (family.loopback(), port).into(), Manner::InPlaceOfEnvoy);
            }
        }
        took
    }

    /// The client learns where the destinations of a family are, and the kernel what it may decide alone.
    pub fn learn(&self, family: Family) {
        if !self.size.path.is_decider() {
            return;
        }
        let (client, known) = (&self.world.clients[0], self.known());
        let connected = known.min(names::CONNECTED);
        let before = self.elements();
        ask::for_destinations(client, 0..connected, family);
        if self.size.path == Path::Envoy {
            both(|family| assert_eq!(client.look_up(names::SERVER, family), [STRANGER.of(family)]));
        }
        if self.size.path == Path::Fast {
            // They take the room that this client has in the kernel's map, so they come first.
            eventually("a kernel that decides alone", || {
                Load::run(&client.namespace, &self.work(family, 8), Duration::from_millis(500));
                (self.elements() >= before + connected).then_some(())
            });
        }
        ask::for_destinations(client, connected..known, family);
    }

    /// How many of the destinations the client knows.
    fn known(&self) -> usize {
        self.size.observations.min(names::MOST)
    }

    /// How many connections the kernel has let through by itself so far, and how many went to a queue.
    pub fn decided(&self) -> [u64; 2] {
        let status = self.world.gateway.status();
        let count = |at| status.pointer(at).and_then(Value::as_u64).unwrap();
        // What is counted as queued is all there is to decide, by whom it was.
        let [by_kernel, all] = ["/counters/fast", "/counters/queued"].map(count);
        [by_kernel, all.saturating_sub(by_kernel)]
    }

    fn elements(&self) -> usize {
        let status = self.world.gateway.status();
        usize::try_from(status["fast_path"]["elements"].as_u64().unwrap()).unwrap()
    }

    /// Where the client connects to, one after the other, and what it waits for.
    pub fn work(&self, family: Family, in_flight: usize) -> Work {
        let waits_for_byte = self.size.path.waits_for_server();
        let destinations: Vec<SocketAddr> = if waits_for_byte {
            vec![(STRANGER.of(family), 22).into()]
        } else {
            (0..self.known().min(names::CONNECTED)).map(|index| (names::address(index, family), 22).into()).collect()
        };
        Work { destinations, in_flight, waits_for_byte }
    }
}

fn world(path: Path, rules: usize, observations: usize) -> World {
    let (top, rules) = match path {
        Path::Fast => ("fast_path: true", names::rules_for_destinations(rules)),
        Path::Envoy => ("fast_path: false", names::rules_for_server(rules)),
        Path::Nfq | Path::Batched => ("fast_path: false", names::rules_for_destinations(rules)),
        Path::None | Path::NftSet | Path::QueueC | Path::QueueNfq | Path::DnatEnvoy => ("", String::new()),
    };
    let dns = if observations > names::MOST { ", capacity: 2000000" } else { "" };
    Setup { internet: Internet::bare, top, dns, rules: rules.leak(), ..Setup::default() }.build()
}
