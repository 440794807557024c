use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{
    Actor, CLIENTS, Client, Family, GATEWAY, GITHUB, Gateway, Internet, Namespace, RESOLVER, STRANGER, both, eventually,
};

/// Clients, gateway, internet: joined, and decider not yet running.
pub struct World {
    pub clients: [Client; 2],
    whose: Covered,
    pub gateway: Gateway,
    pub internet: Internet,
}

/// The parts of the policy in which scenarios differ.
pub struct Setup {
    pub internet: fn() -> Internet,
    pub covered: Covered,
    /// Lines at the top.
    pub top: &'static str,
    /// The networks of the clients, with a comma in front.
    pub networks: &'static str,
    /// The trusted resolvers.
    pub resolvers: &'static str,
    /// Further keys of `dns`, with a comma in front.
    pub dns: &'static str,
    pub rules: &'static str,
}

/// Whose connections are decided.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Covered {
    /// Those of the clients behind the gateway.
    Clients,
    /// Those of the gateway's own processes.
    Host,
    /// Both.
    All,
}

/// A user of Envoy's own, where the gateway's processes are covered. No machine has a user of this number.
pub const ENVOY_USER: u32 = 64_320;

const RULES: &str = "
  - { domain: github.com, proto: ssh }
  - { domain: gitlab.com, proto: ssh }
  - { domain: db.example.com, proto: tcp, port: 5432 }
  - { domain: one.example, proto: ssh }
  - { domain: two.example, proto: ssh }
  - { domain: fresh.example, proto: ssh }
  - { domain: silent.example, proto: ssh }
";

impl World {
    /// Whose connections are decided: one of the two clients, or the gateway itself for either, where it alone is covered.
    pub fn covered(&self, index: usize) -> Client {
        match self.whose {
            Covered::Clients | Covered::All => self.clients[index].clone(),
            Covered::Host => self.gateway.as_client(),
        }
    }

    /// Whoever is covered reaches what a rule allows, by its name, and no stranger.
    pub fn serves(&self, client: usize) {
        both(|family| {
            let reached = self.covered(client).reach_name("github.com", family, 22).unwrap();
            assert!(GITHUB.both().contains(&reached));
            self.covered(client).is_refused(STRANGER.of(family), 22);
        });
    }

    /// It serves the first client or the host, and nothing of a client gets out by itself.
    pub fn works(&self) {
        self.serves(0);
        assert_eq!(self.internet.wire.leaked(), []);
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            internet: Internet::new,
            covered: Covered::Clients,
            top: "",
            networks: ", networks: [10.77.0.0/16, \"fd77::/16\"]",
            resolvers: "203.0.113.53, \"2001:db8:53::53\"",
            dns: "",
            rules: RULES,
        }
    }
}

impl Setup {
    /// The same with a resolver that says what the test wants.
    pub fn start_with_actor(self) -> (World, Actor) {
        let (mut world, actor) = self.build_with_actor();
        world.gateway.start();
        (world, actor)
    }

    /// The same before decider's start.
    pub fn build_with_actor(self) -> (World, Actor) {
        let world = Self { internet: Internet::unresolved, ..self }.build();
        let actor = Actor::start(&world.internet.namespace, &RESOLVER.both(), &world.internet.zone);
        (world, actor)
    }

    /// The world with decider at work.
    pub fn start(self) -> World {
        let mut world = self.build();
        world.gateway.start();
        world
    }

    /// The world before decider's start.
    pub fn build(self) -> World {
        let gateway = Gateway::new();
        let internet = (self.internet)();
        let clients = [0, 1].map(|index| Client { namespace: Namespace::new(), addresses: CLIENTS[index] });
        join_internet(&gateway, &internet);
        for (index, client) in clients.iter().enumerate() {
            join_client(&gateway, client, index + 1);
        }
        settle(&gateway.namespace);
        clients.iter().for_each(Client::settle);
        gateway.write_policy(&self.policy(gateway.directory.path()));
        World { clients, whose: self.covered, gateway, internet }
    }

    fn intercept(&self) -> String {
        let clients = format!("gateway: {{ interfaces: [\"lan*\"]{} }}", self.networks);
        match self.covered {
            Covered::Clients => clients,
            Covered::Host => "host: true".to_owned(),
            Covered::All => format!("{clients}, host: true"),
        }
    }

    /// The policy's text.
    pub fn policy(&self, directory: &Path) -> String {
        let Self { top, resolvers, dns, rules, .. } = self;
        let intercept = self.intercept();
        let envoy = match self.covered {
            Covered::Clients => envoy().display().to_string(),
            Covered::Host | Covered::All => {
                format!("{}, user: {ENVOY_USER}", give_envoy_to_others(directory).display())
            }
        };
        let directory = directory.display();
        format!(
            "version: 1
{top}
intercept: {{ {intercept} }}
dns: {{ resolvers: [{resolvers}]{dns} }}
envoy: {{ manage: true, binary: {envoy}, config_dir: {directory}/envoy }}
rules: {rules}
"
        )
    }
}

/// A copy of Envoy's program in a directory that every user may enter, for one that may not enter the tests' own folder.
pub fn give_envoy_to_others(directory: &Path) -> PathBuf {
    std::fs::set_permissions(directory, PermissionsExt::from_mode(0o711)).unwrap();
    let (program, copy) = (envoy().canonicalize().unwrap(), directory.join("envoy-program"));
    if !copy.exists() {
        std::fs::hard_link(&program, &copy).or_else(|_| std::fs::copy(&program, &copy).map(drop)).unwrap();
    }
    copy
}

fn join_internet(gateway: &Gateway, internet: &Internet) {
    gateway.namespace.link("wan0", &internet.namespace, "wan0");
    let [v4, v6] = Family::BOTH.map(|family| GATEWAY.of(family));
    gateway.namespace.sh(&format!(
        "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
         ip addr add {v4}/24 dev wan0; ip addr add {v6}/64 dev wan0
         ip route add default via 192.0.2.254; ip -6 route add default via 2001:db8:2::fe"
    ));
    internet.namespace.sh(&format!(
        "ip addr add 192.0.2.254/24 dev wan0; ip addr add 2001:db8:2::fe/64 dev wan0
         ip route add 10.77.0.0/16 via {v4}; ip -6 route add fd77::/16 via {v6}"
    ));
}

fn join_client(gateway: &Gateway, client: &Client, number: usize) {
    gateway.namespace.link(&format!("lan{number}"), &client.namespace, "eth0");
    gateway.namespace.sh(&format!(
        "ip addr add 10.77.{number}.1/24 dev lan{number}; ip addr add fd77:{number}::1/64 dev lan{number}"
    ));
    let [v4, v6] = client.addresses.both();
    client.namespace.sh(&format!(
        "ip addr add {v4}/24 dev eth0; ip addr add {v6}/64 dev eth0
         ip route add default via 10.77.{number}.1; ip -6 route add default via fd77:{number}::1"
    ));
}

/// Waits until every IPv6 address is in use, the ones that the kernel makes included: that takes a moment.
fn settle(gateway: &Namespace) {
    eventually("the gateway's addresses", || {
        let local = gateway.sh("ip -6 route show table local");
        let own = ["local fd77:1::1 ", "local fd77:2::1 ", "local 2001:db8:2::1 "];
        let is_there = own.iter().all(|own| local.contains(own));
        // Each of the three networks has its router's address, and so has each link.
        (is_there && local.matches("local fe80:").count() == 3 && local.matches("anycast ").count() == 6).then_some(())
    });
}

/// The real Envoy: of `DECIDER_ENVOY`, or as `tests/setup` installs it.
pub fn envoy() -> PathBuf {
    if let Some(path) = std::env::var_os("DECIDER_ENVOY") {
        return path.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = [".deps/bin/envoy", ".deps/venv/bin/envoy"].map(|place| root.join(place));
    let found = places.iter().find(|place| place.exists()).expect("no Envoy: run tests/setup, or set DECIDER_ENVOY");
    found.clone()
}
