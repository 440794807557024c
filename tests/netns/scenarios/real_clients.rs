//! Real programs look up names whose addresses go from name to name, and connect: each reaches the host that it named.
//! `DECIDER_CLIENTS` says how often each of them does; `make clients` sets it, and prints the table.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use crate::world::{
    Authority, BannerServer, Dnsmasq, Family, GATEWAY_INSIDE, Internet, OTHER_RESOLVER, Pair, RESOLVER, Resolver,
    Setup, Sshd, Unbound, VISITORS, Visitor, Visits, World,
};

/// The hosts. Only Envoy is told these addresses, so they tell through which name's listener a connection went.
const HOSTS: [(&str, Pair); 8] = [
    ("a.example", Pair::new("198.51.100.101", "2001:db8:100::101")),
    ("b.example", Pair::new("198.51.100.102", "2001:db8:100::102")),
    ("c.example", Pair::new("198.51.100.103", "2001:db8:100::103")),
    ("d.example", Pair::new("198.51.100.104", "2001:db8:100::104")),
    ("e.example", Pair::new("198.51.100.105", "2001:db8:100::105")),
    ("f.example", Pair::new("198.51.100.106", "2001:db8:100::106")),
    ("g.example", Pair::new("198.51.100.107", "2001:db8:100::107")),
    ("h.example", Pair::new("198.51.100.108", "2001:db8:100::108")),
];
/// How many of them serve SSH.
const SSH_HOSTS: usize = 2;
const RULES: &str = "
  - { domain: a.example, proto: ssh }
  - { domain: b.example, proto: ssh }
  - { domain: a.example, proto: tcp, port: 8080 }
  - { domain: b.example, proto: tcp, port: 8080 }
  - { domain: c.example, proto: tcp, port: 8080 }
  - { domain: d.example, proto: tcp, port: 8080 }
  - { domain: e.example, proto: tcp, port: 8080 }
  - { domain: f.example, proto: tcp, port: 8080 }
  - { domain: g.example, proto: tcp, port: 8080 }
  - { domain: h.example, proto: tcp, port: 8080 }
";
const PAGES: u16 = 8080;
const SSH: u16 = 22;

/// Envoy's resolver, which is the first of the policy and never fails.
const FOR_ENVOY: Pair = Pair::new("203.0.113.54", "2001:db8:53::54");
const RESOLVERS: &str =
    "203.0.113.54, \"2001:db8:53::54\", 10.77.1.1, \"fd77:1::1\", 203.0.113.53, \"2001:db8:53::53\"";

/// What a program made of it, over one resolver and family.
struct Row {
    visitor: &'static str,
    resolver: &'static str,
    family: Family,
    look_ups: usize,
    connects: usize,
    refused: Vec<String>,
    wrong: Vec<String>,
}

struct Scene {
    world: World,
    authority: Arc<Authority>,
    directory: tempfile::TempDir,
    /// By the hosts' order.
    keys: Vec<String>,
    _held: (Vec<Resolver>, Vec<Sshd>, BannerServer, Dnsmasq, Unbound),
}

impl Scene {
    fn start() -> Self {
        let setup = Setup {
            internet: Internet::bare,
            resolvers: RESOLVERS,
            dns: ", min_ttl: 1s, grace: 10s",
            rules: RULES,
            ..Setup::default()
        };
        let mut world = setup.build();
        let directory = tempfile::tempdir().unwrap();
        let (internet, folder) = (&world.internet.namespace, directory.path());
        let authority = Arc::new(Authority::default());
        authority.set_ttls(1..=5);
        world.internet.zone.set_ttl(600);
        for (name, host) in HOSTS {
            authority.rotate(name);
            world.internet.zone.put(name, &host.both());
        }
        let resolvers = vec![
            Resolver::start(internet, &OTHER_RESOLVER.both(), &authority),
            Resolver::start(internet, &FOR_ENVOY.both(), &world.internet.zone),
        ];
        let upstream = OTHER_RESOLVER.both();
        let dnsmasq = Dnsmasq::start(&world.gateway.namespace, folder, &GATEWAY_INSIDE.both(), &upstream, &[]);
        let unbound = Unbound::start(internet, folder, &RESOLVER.both(), &upstream, &[]);
        let sshds: Vec<Sshd> =
            HOSTS[..SSH_HOSTS].iter().map(|(name, host)| Sshd::start(internet, folder, name, *host)).collect();
        let pages = BannerServer::start_pages(internet, PAGES);
        let keys = sshds.iter().map(|sshd| sshd.key.clone()).collect();
        world.gateway.start();
        Self { world, authority, directory, keys, _held: (resolvers, sshds, pages, dnsmasq, unbound) }
    }

    /// One program over one resolver, in both families.
    fn visit(&self, visitor: &Visitor, built: &Path, asked: &Asked, times: usize) -> [Row; 2] {
        let (hosts, port) = if visitor.ssh { (&HOSTS[..SSH_HOSTS], SSH) } else { (&HOSTS[..], PAGES) };
        let names: Vec<&str> = hosts.iter().map(|(name, _)| *name).collect();
        Family::BOTH.map(|family| {
            let resolv_conf = self.directory.path().join(format!("{}-{family:?}", asked.name));
            // A question that is lost would be asked again, and counted, but not for a slow machine's sake.
            let text = format!("nameserver {}\noptions timeout:20 attempts:2{}\n", asked.at.of(family), asked.options);
            std::fs::write(&resolv_conf, text).unwrap();
            // Time for the addresses to change.
            let pause = if times > 100 { 10 } else { 0 };
            let visits = Visits { family, port, times, pause, names: &names };
            let said = visitor.run(built, &self.world.clients[asked.client], &resolv_conf, visits);
            self.judge(visitor, asked, family, &said)
        })
    }

    fn judge(&self, visitor: &Visitor, asked: &Asked, family: Family, said: &[(String, String)]) -> Row {
        let hosts: Vec<(&str, String)> = HOSTS
            .iter()
            .enumerate()
            .map(|(index, (name, host))| match self.keys.get(index) {
                Some(key) if visitor.ssh => (*name, key.clone()),
                _ => (*name, host.of(family).to_string()),
            })
            .collect();
        let mut row = Row {
            visitor: visitor.name,
            resolver: asked.name,
            family,
            look_ups: said.len(),
            connects: 0,
            refused: vec![],
            wrong: vec![],
        };
        for (name, said) in said {
            match hosts.iter().find(|(_, host)| host == said) {
                Some((host, _)) => {
                    row.connects += 1;
                    if host != name {
                        row.wrong.push(format!("{name} ended at {host}"));
                    }
                }
                // Envoy went to a host that its own resolver did not name.
                None if said.parse::<IpAddr>().is_ok() => row.wrong.push(format!("{name} ended at {said}")),
                None => row.refused.push(format!("{name}: {said}")),
            }
        }
        row
    }
}

/// Who is asked, by whom.
struct Asked {
    name: &'static str,
    at: Pair,
    client: usize,
    /// Further options of the client's own resolver library.
    options: &'static str,
}

/// Two clients at a time, each with a resolver of its own: what one is told is never the other's business.
const ASKED: [Asked; 2] = [
    Asked { name: "dnsmasq", at: GATEWAY_INSIDE, client: 0, options: "" },
    Asked { name: "unbound", at: RESOLVER, client: 1, options: " edns0" },
];

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { visitor, resolver, family, look_ups, connects, refused, wrong } = self;
        let family = match family {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        };
        write!(f, "{visitor:<8} {resolver:<8} {family:<6} {look_ups:>8} {connects:>8}")?;
        write!(f, " {:>7} {:>5}", refused.len(), wrong.len())
    }
}

#[test]
fn every_program_reaches_the_host_that_it_named() {
    let wanted = std::env::var("DECIDER_CLIENTS").ok().map(|text| text.parse().expect("DECIDER_CLIENTS is a number"));
    let times: usize = wanted.unwrap_or(24);
    let scene = Scene::start();
    let built = tempfile::tempdir().unwrap();
    println!("client   resolver family look-ups connects refused wrong");
    let (mut rows, mut questions) = (Vec::new(), 0);
    for visitor in VISITORS.iter().filter(|visitor| wanted.is_some() || !visitor.slow) {
        if let Err(missing) = visitor.build(built.path()) {
            println!("{:<8} skipped: {missing} here (tests/setup clients)", visitor.name);
            continue;
        }
        let found = std::thread::scope(|scope| {
            let (scene, built) = (&scene, built.path());
            let visit = |asked| scope.spawn(move || scene.visit(visitor, built, asked, times));
            ASKED.each_ref().map(visit).map(|thread| thread.join().unwrap())
        });
        for row in found.into_iter().flatten() {
            println!("{row}");
            let of = visitor.questions[usize::from(row.family == Family::V6)];
            questions += of * row.look_ups as u64;
            rows.push(row);
        }
    }
    is_all_well(&scene, &rows, times, questions);
}

fn is_all_well(scene: &Scene, rows: &[Row], times: usize, questions: u64) {
    let counters = scene.world.gateway.adds_up();
    let messages = scene.world.gateway.status()["dns"]["messages"].clone();
    let names = HOSTS.map(|(name, _)| name);
    let changes: usize = names
        .iter()
        .map(|name| Family::BOTH.map(|family| scene.authority.asked(name, family)).iter().sum::<usize>())
        .sum();
    println!(
        "{changes} answers behind the caches, each with other addresses\nconnections: {counters}\nDNS: {messages}"
    );
    assert!(rows.len() >= 8, "too little is installed");
    for row in rows {
        assert!(row.refused.is_empty() && row.wrong.is_empty(), "{row}: {:?} {:?}", row.refused, row.wrong);
        assert_eq!((row.look_ups, row.connects), (times, times), "{row}");
    }
    let connects: usize = rows.iter().map(|row| row.connects).sum();
    assert_eq!((&counters["allowed"], &counters["denied"]), (&connects.into(), &0.into()), "{counters}");
    // None was lost: each was asked once.
    assert_eq!(messages["questions"], questions, "{messages}");
    assert_eq!((&messages["unasked"], &messages["late"], &messages["malformed"]), (&0.into(), &0.into(), &0.into()));
    assert_eq!(messages["learned"], questions, "{messages}");
    assert_eq!(scene.world.internet.wire.leaked(), []);
}
