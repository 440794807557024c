use std::net::IpAddr;
use std::sync::Arc;

use super::family::Pair;
use super::{
    Authority, BannerServer, Client, DATABASE, Dnsmasq, Family, GATEWAY_INSIDE, GITHUB, GITLAB, Internet,
    OTHER_RESOLVER, RESOLVER, Resolver, Setup, Unbound, World,
};

/// A real resolver, with a cache of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Software {
    Dnsmasq,
    Unbound,
}

/// Where it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the gateway: its answers are made there.
    Gateway,
    /// In the internet: its answers are forwarded.
    Beyond,
}

/// A world whose clients ask a real resolver, which asks the names' owners.
pub struct Resolving {
    pub world: World,
    pub authority: Arc<Authority>,
    pub place: Place,
    pub resolver: Running,
    /// Held, so that they go on.
    _held: (Resolver, BannerServer, tempfile::TempDir),
}

/// The resolver's process.
pub enum Running {
    Dnsmasq(Dnsmasq),
    Unbound { _held: Unbound },
}

impl Software {
    pub const BOTH: [Self; 2] = [Self::Dnsmasq, Self::Unbound];
}

impl Place {
    pub const BOTH: [Self; 2] = [Self::Gateway, Self::Beyond];

    fn addresses(self) -> Pair {
        match self {
            Self::Gateway => GATEWAY_INSIDE,
            Self::Beyond => RESOLVER,
        }
    }

    fn in_the_policy(self) -> &'static str {
        match self {
            Self::Gateway => "10.77.1.1, \"fd77:1::1\"",
            Self::Beyond => "203.0.113.53, \"2001:db8:53::53\"",
        }
    }
}

impl Resolving {
    /// With decider at work. `options` are the resolver's own.
    pub fn start(software: Software, place: Place, options: &[&str], dns: &'static str) -> Self {
        let mut resolving = Self::build(software, place, options, dns);
        resolving.world.gateway.start();
        resolving
    }

    /// Before decider's start.
    pub fn build(software: Software, place: Place, options: &[&str], dns: &'static str) -> Self {
        let setup = Setup { internet: Internet::bare, resolvers: place.in_the_policy(), dns, ..Setup::default() };
        let world = setup.build();
        let directory = tempfile::tempdir().unwrap();
        let authority = Arc::new(Authority::default());
        for (name, host) in [("github.com", GITHUB), ("gitlab.com", GITLAB), ("db.example.com", DATABASE)] {
            authority.put(name, &host.both());
        }
        for name in ["fresh.example", "one.example", "two.example"] {
            authority.rotate(name);
        }
        let internet = &world.internet.namespace;
        let owners = Resolver::start(internet, &OTHER_RESOLVER.both(), &authority);
        let namespace = match place {
            Place::Gateway => &world.gateway.namespace,
            Place::Beyond => internet,
        };
        let (listen, upstream) = (place.addresses().both(), OTHER_RESOLVER.both());
        let resolver = match software {
            Software::Dnsmasq => {
                Running::Dnsmasq(Dnsmasq::start(namespace, directory.path(), &listen, &upstream, options))
            }
            Software::Unbound => {
                let held = Unbound::start(namespace, directory.path(), &listen, &upstream, options);
                Running::Unbound { _held: held }
            }
        };
        let banner = BannerServer::start(internet, 22);
        Self { world, authority, place, resolver, _held: (owners, banner, directory) }
    }

    pub fn client(&self) -> &Client {
        &self.world.clients[0]
    }

    /// The resolver's address, as the clients know it.
    pub fn address(&self, family: Family) -> IpAddr {
        self.place.addresses().of(family)
    }

    /// Asks over that family for addresses of that family.
    pub fn look_up(&self, name: &str, family: Family) -> Vec<IpAddr> {
        let answer = self.client().ask(self.address(family), name, family);
        answer.unwrap_or_else(|| panic!("no answer about {name}")).addresses
    }

    /// Looks a name up and connects to the first address: which one answers in the end.
    pub fn reach(&self, name: &str, family: Family) -> IpAddr {
        let address = self.look_up(name, family)[0];
        let reached = self.client().reach(address, 22);
        reached.unwrap_or_else(|error| panic!("{name} at {address}: {error}; {:#?}", self.world.gateway.events()))
    }

    /// What became of DNS messages so far: a count by its name.
    pub fn messages(&self, outcome: &str) -> u64 {
        self.world.gateway.status()["dns"]["messages"][outcome].as_u64().unwrap()
    }

    /// Every question had its answer, each was believed, and nothing came that nobody asked for.
    pub fn every_question_was_answered(&self, questions: u64) {
        let messages = self.world.gateway.status()["dns"]["messages"].clone();
        assert_eq!(messages["questions"], questions, "{messages}");
        assert_eq!((&messages["unasked"], &messages["malformed"]), (&0.into(), &0.into()), "{messages}");
        let answered = ["learned", "taught_nothing"].map(|outcome| messages[outcome].as_u64().unwrap());
        assert_eq!(answered.iter().sum::<u64>(), questions, "{messages}");
    }
}
