//! Real programs on a host that is covered: two names on each port, and each reaches the server that it named.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::world::{
    Covered, Family, GITHUB, GITLAB, Internet, Pair, RESOLVER, Resolver, STRANGER, Services, Setup, Sshd, World, both,
    listener_connections, make_repository, resolv_conf, with_resolv_conf,
};

const ONE: Pair = Pair::new("198.51.100.71", "2001:db8:100::71");
const TWO: Pair = Pair::new("198.51.100.72", "2001:db8:100::72");

const RULES: &str = "
  - { domain: github.com, proto: ssh }
  - { domain: gitlab.com, proto: ssh }
  - { domain: one.example, proto: tcp, port: [4222, 5432, 6379] }
  - { domain: two.example, proto: tcp, port: [4222, 5432, 6379] }
";

/// Each says who answered; `$1` is the name.
const PROGRAMS: [&str; 3] = [
    "redis-cli -h $1 get who",
    "PGCONNECT_TIMEOUT=5 psql -h $1 -U postgres -Atc 'show cluster_name'",
    // The first words of a client of NATS.
    "exec 3<>/dev/tcp/$1/4222; read -r info <&3; printf 'CONNECT {}\\r\\nPING\\r\\n' >&3; \
     read -r ok <&3; read -r pong <&3; case \"$ok$pong\" in *PONG*) ;; *) exit 1 ;; esac; \
     echo \"$info\" | sed 's/.*\"server_name\":\"\\([^\"]*\\)\".*/\\1/'",
];

/// Runs a line of bash on the host, as the host finds its resolver.
fn run(world: &World, resolver: &Path, line: &str, arguments: &[&str]) -> Result<String, String> {
    let mut command = with_resolv_conf(resolver);
    command.args(["timeout", "15", "bash", "-c", line, "bash"]).args(arguments);
    let output = world.gateway.namespace.enter(|| command.output().unwrap());
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(words(&output.stdout)) } else { Err(words(&output.stderr)) }
}

#[test]
fn two_names_on_each_port_reach_the_server_that_was_named() {
    let setup = Setup { covered: Covered::Host, internet: Internet::bare, rules: RULES, ..Setup::default() };
    let mut world = setup.build();
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    std::fs::set_permissions(directory, PermissionsExt::from_mode(0o755)).unwrap();
    let place = world.internet.namespace.clone();
    let _resolver = Resolver::start(&place, &RESOLVER.both(), &world.internet.zone);
    let _services = [("one", ONE), ("two", TWO)].map(|(name, pair)| Services::start(&place, directory, name, pair));
    let [github, gitlab] =
        [("github.com", GITHUB), ("gitlab.com", GITLAB)].map(|(name, at)| Sshd::start(&place, directory, name, at));
    let stranger = Sshd::start(&place, directory, "stranger", STRANGER);
    make_repository(directory, &[("github.com", &github), ("gitlab.com", &gitlab)]);
    let names = [("one.example", ONE), ("two.example", TWO), ("github.com", GITHUB), ("gitlab.com", GITLAB)];
    for (name, pair) in names {
        world.internet.zone.put(name, &pair.both());
    }
    world.gateway.start();
    both(|family| {
        // Programs that cannot be told a family find addresses of one alone.
        for (name, pair) in names {
            world.internet.zone.put(name, &[pair.of(family)]);
        }
        let resolver = resolv_conf(directory, RESOLVER.of(family));
        for name in ["one", "two", "one"] {
            for program in PROGRAMS {
                let told = run(&world, &resolver, program, &[&format!("{name}.example")]);
                assert_eq!(told.as_deref(), Ok(name), "{program} over {family:?}");
            }
        }
        let ssh = format!(
            "ssh -i {0}/key -o UserKnownHostsFile={0}/known_hosts -o StrictHostKeyChecking=yes -o BatchMode=yes",
            directory.display()
        );
        for name in ["github.com", "gitlab.com", "github.com"] {
            let told = run(&world, &resolver, &format!("{ssh} root@$1 echo reached"), &[name]);
            assert_eq!(told.as_deref(), Ok("reached"), "{name}");
            let line = format!("GIT_SSH_COMMAND='{ssh}' git ls-remote ssh://root@$1$2/repository HEAD");
            let told = run(&world, &resolver, &line, &[name, &directory.display().to_string()]);
            assert!(told.as_ref().is_ok_and(|told| told.ends_with("HEAD")), "{name}: {told:?}");
        }
        let to_stranger = format!("{ssh} root@$1 echo reached");
        let told = run(&world, &resolver, &to_stranger, &[&STRANGER.of(family).to_string()]);
        assert!(told.as_ref().is_err_and(|told| told.contains("Connection refused")), "{told:?}");
    });
    assert_eq!(stranger.connections(), 0);
    let connections = listener_connections(&world.gateway);
    let each = Family::BOTH.len() as u64;
    assert_eq!((connections["github.com"], connections["gitlab.com"]), (4 * each, 2 * each), "{connections:?}");
    world.gateway.adds_up();
}
