use std::net::IpAddr;

use crate::fixed::Fixed;
use crate::world::{Dnsmasq, Family, GATEWAY_INSIDE, Internet, Namespace, RESOLVER, Resolver, Setup, World};

/// What stands between client and resolver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A gateway that forwards.
    Plain,
    /// dnsmasq on the gateway, which asks the resolver every time.
    Dnsmasq,
    /// dnsmasq on the gateway, which answers from its cache.
    DnsmasqCache,
    /// decider on the gateway.
    Decider,
}

impl Way {
    pub const ALL: [Self; 4] = [Self::Plain, Self::Dnsmasq, Self::DnsmasqCache, Self::Decider];

    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Dnsmasq => "dnsmasq",
            Self::DnsmasqCache => "dnsmasq-cache",
            Self::Decider => "decider",
        }
    }
}

/// One of the ways, built.
pub struct Setting {
    pub way: Way,
    world: World,
    /// Held, so that they go on.
    _held: (Resolver, Vec<Dnsmasq>),
}

/// Every name that is asked for is below this one.
const RULES: &str = "
  - { domain: \"*.bench.example\", proto: tcp, port: 5432 }
";

impl Setting {
    /// A world of its own, with a resolver of its own.
    pub fn build(way: Way) -> Self {
        let mut world = Setup { internet: Internet::bare, rules: RULES, ..Setup::default() }.build();
        let resolver = Fixed::serve(&world.internet.namespace, &RESOLVER.both());
        let dnsmasqs = match way {
            Way::Plain => vec![],
            Way::Dnsmasq => dnsmasqs(&world, "--cache-size=0"),
            Way::DnsmasqCache => dnsmasqs(&world, "--cache-size=10000"),
            Way::Decider => {
                world.gateway.start();
                vec![]
            }
        };
        Self { way, world, _held: (resolver, dnsmasqs) }
    }

    pub fn client(&self) -> &Namespace {
        &self.world.clients[0].namespace
    }

    /// Whom the client asks over that family.
    pub fn resolver(&self, family: Family) -> IpAddr {
        match self.way {
            Way::Plain | Way::Decider => RESOLVER.of(family),
            Way::Dnsmasq | Way::DnsmasqCache => GATEWAY_INSIDE.of(family),
        }
    }
}

/// One for each family, so that each asks on over its own.
fn dnsmasqs(world: &World, cache: &str) -> Vec<Dnsmasq> {
    let gateway = &world.gateway;
    let start = |family| {
        let (listen, upstream) = ([GATEWAY_INSIDE.of(family)], [RESOLVER.of(family)]);
        Dnsmasq::start(&gateway.namespace, gateway.directory.path(), &listen, &upstream, &[cache])
    };
    Family::BOTH.map(start).into()
}
