use std::path::{Path as FilePath, PathBuf};
use std::process::Command;

use crate::world::{Family, Internet, Process, RESOLVER, Resolver, STRANGER, Setup, World, both, eventually};

use super::sink::Sink;

/// What a SYN passes on its way through the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Nothing but routing.
    None,
    /// A queue, and a program in C by `libnetfilter_queue` that accepts everything.
    QueueC,
    /// A queue, and a program by the `nfq` crate that accepts everything.
    QueueNfq,
    /// decider by the `nfq` crate.
    Nfq,
    /// decider by its own messages.
    Batched,
}

impl Path {
    pub const ALL: [Self; 5] = [Self::None, Self::QueueC, Self::QueueNfq, Self::Nfq, Self::Batched];

    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::QueueC => "queue-c",
            Self::QueueNfq => "queue-nfq",
            Self::Nfq => "nfq",
            Self::Batched => "batched",
        }
    }
}

/// What makes the queue of the programs that accept everything: new connections and nothing else, as decider has them.
const RULES: &str = "
    for table in iptables-nft ip6tables-nft; do
        $table -t mangle -A PREROUTING -i lan1 -p tcp --dport 22 -m conntrack --ctstate NEW \\
            -j NFQUEUE --queue-num 7
    done";

/// The name of the server. No rule allows it, and in audit mode that is decided, recorded, and let through.
const NAME: &str = "somewhere.example";

/// A path, built: client, gateway, server.
pub struct Setting {
    pub path: Path,
    pub world: World,
    /// Held, so that they go on.
    _held: (Resolver, Vec<Sink>, Option<Process>),
}

impl Setting {
    pub fn build(path: Path) -> Self {
        let mut world = Setup { internet: Internet::bare, top: "mode: audit", ..Setup::default() }.build();
        // What the tests watch the far side with has no place in a measurement.
        world.internet.namespace.sh("nft delete table inet wire");
        world.internet.zone.set_ttl(86_400);
        world.internet.zone.put(NAME, &STRANGER.both());
        let resolver = Resolver::start(&world.internet.namespace, &RESOLVER.both(), &world.internet.zone);
        let sinks = STRANGER.both().map(|address| Sink::start(&world.internet.namespace, (address, 22).into()));
        let program = match path {
            Path::None => None,
            Path::QueueC => Some(accept_all(&world, &mut Command::new(built_from_c(world.gateway.directory.path())))),
            Path::QueueNfq => {
                let mut command = Command::new(std::env::current_exe().unwrap());
                Some(accept_all(&world, command.arg(super::ACCEPT_ALL)))
            }
            Path::Nfq => decider(&mut world, "nfq"),
            Path::Batched => decider(&mut world, "netlink"),
        };
        Self { path, world, _held: (resolver, sinks.into(), program) }
    }
}

fn decider(world: &mut World, backend: &str) -> Option<Process> {
    world.gateway.arguments.extend(["--queue-backend".to_owned(), backend.to_owned()]);
    world.gateway.start();
    both(|family: Family| assert_eq!(world.clients[0].look_up(NAME, family), [STRANGER.of(family)]));
    None
}

/// Starts a program that serves queue 7, and fills the queue once it does.
fn accept_all(world: &World, command: &mut Command) -> Process {
    let process = Process::start(&world.gateway.namespace, command.arg("7"), &world.gateway.path("accept"));
    eventually("a program that accepts everything", || process.log().contains("ready").then_some(()));
    world.gateway.namespace.sh(RULES);
    process
}

fn built_from_c(folder: &FilePath) -> PathBuf {
    let program = folder.join("accept-all");
    let source = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/queue/accept.c");
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-Wall", "-Wextra", "-o"]).arg(&program).arg(source).arg("-lnetfilter_queue");
    assert!(cc.status().unwrap().success(), "`tests/setup bench` installs what this needs");
    program
}
