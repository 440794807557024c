//! Learning closes the loop: a session in audit mode, what `decider learn` prints of it, and the same session enforced.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::world::{
    Family, GITHUB, Internet, Pair, RESOLVER, Resolver, STRANGER, Services, Setup, Sshd, World, both, eventually,
    make_repository, resolv_conf, with_resolv_conf,
};

const ONE: Pair = Pair::new("198.51.100.71", "2001:db8:100::71");

/// Names of the session, with their ports.
const NAMES: [(&str, Pair, &[u16]); 2] = [("github.com", GITHUB, &[22]), ("one.example", ONE, &[5432, 6379])];

/// A session as a client's programs have it: the directory is `$1`. Says who answered.
const SESSION: &str = r#"
export GIT_SSH_COMMAND="ssh -i $1/key -o UserKnownHostsFile=$1/known_hosts -o StrictHostKeyChecking=yes -o BatchMode=yes"
git clone -q "ssh://root@github.com$1/repository" "$2"
git -C "$2" log -1 --format=%s
PGCONNECT_TIMEOUT=5 psql -h one.example -U postgres -Atc 'show cluster_name'
redis-cli -h one.example get who
"#;

fn run(world: &World, directory: &Path, family: Family, clone: &str) -> Result<String, String> {
    let mut command = with_resolv_conf(&resolv_conf(directory, RESOLVER.of(family)));
    command.args(["timeout", "30", "bash", "-ec", SESSION, "bash"]).arg(directory).arg(directory.join(clone));
    let output = world.clients[0].namespace.enter(|| command.output().unwrap());
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().replace('\n', " ");
    if output.status.success() { Ok(words(&output.stdout)) } else { Err(words(&output.stderr)) }
}

/// The whole session over each family, and each part of it came to whom it meant.
fn session(world: &World, directory: &Path, time: &str) {
    both(|family| {
        // Programs that cannot be told a family find addresses of one alone.
        for (name, pair, _) in NAMES {
            world.internet.zone.put(name, &[pair.of(family)]);
        }
        let told = run(world, directory, family, &format!("{time}-{family:?}"));
        assert_eq!(told.as_deref(), Ok("first one one"), "{time}, over {family:?}");
    });
}

fn count(world: &World, is_it: impl Fn(&Value) -> bool) -> usize {
    world.gateway.events().iter().filter(|event| is_it(event)).count()
}

fn refusals(world: &World) -> Vec<Value> {
    world.gateway.events().into_iter().filter(|event| event["verdict"] == "deny").collect()
}

#[test]
fn what_is_learned_of_a_session_lets_the_session_through_and_no_stranger() {
    let setup = Setup { top: "mode: audit", internet: Internet::bare, rules: "[]", ..Setup::default() };
    let mut world = setup.build();
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    std::fs::set_permissions(directory, PermissionsExt::from_mode(0o755)).unwrap();
    let place = world.internet.namespace.clone();
    let _resolver = Resolver::start(&place, &RESOLVER.both(), &world.internet.zone);
    let _services = Services::start(&place, directory, "one", ONE);
    let github = Sshd::start(&place, directory, "github.com", GITHUB);
    let stranger = Sshd::start(&place, directory, "stranger", STRANGER);
    make_repository(directory, &[("github.com", &github)]);
    world.internet.zone.put("stranger.example", &STRANGER.both());
    world.gateway.start();

    session(&world, directory, "audited");
    let wanted: usize = NAMES.iter().map(|(_, _, ports)| ports.len() * Family::BOTH.len()).sum();
    eventually("an event of each connection", || {
        (count(&world, |event| event["verdict"] == "audit" && event["domain"] != Value::Null) >= wanted).then_some(())
    });

    let audited = world.gateway.policy();
    let output = world.gateway.cli(&["learn"]);
    let learned = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let rules: Vec<&str> = learned.lines().filter_map(|line| line.strip_prefix("  - ")).collect();
    let expected = ["{ domain: github.com, proto: ssh }", "{ domain: one.example, proto: tcp, port: [5432, 6379] }"];
    assert_eq!(rules, expected, "{learned}");
    // All else is as it was, and the evidence names the client over both families.
    let (head, _) = audited.split_once("rules:").unwrap();
    let clients = world.clients[0].addresses.both().map(|address| address.to_string()).join(", ");
    assert!(learned.contains(head) && learned.contains(&format!("audited from {clients}, ")), "{learned}");

    // The diff to the policy in force says the same.
    let file = world.gateway.path("policy.yaml").display().to_string();
    let diff = world.gateway.cli(&["learn", "--merge", &file]);
    let patched = world.gateway.path("patched.yaml");
    std::fs::write(world.gateway.path("new.diff"), &diff.stdout).unwrap();
    let patch =
        Command::new("patch").arg("-o").args([&patched]).arg(&file).arg(world.gateway.path("new.diff")).output();
    assert!(patch.unwrap().status.success(), "{}", String::from_utf8_lossy(&diff.stdout));
    world.gateway.write_policy(&learned);
    let same = world.gateway.cli(&["diff", &file, &patched.display().to_string()]);
    assert_eq!(same.status.code(), Some(0), "{}", String::from_utf8_lossy(&same.stdout));

    world.gateway.write_policy(&learned.replace("mode: audit\n", ""));
    world.gateway.reloads();
    assert_eq!(world.gateway.status()["mode"], "enforce");
    session(&world, directory, "enforced");
    eventually("an event of each connection that is let through", || {
        (count(&world, |event| event["verdict"] == "allow") >= wanted).then_some(())
    });
    assert_eq!(refusals(&world), Vec::<Value>::new());

    both(|family| {
        let client = &world.clients[0];
        client.is_refused(STRANGER.of(family), 22);
        assert_eq!(client.look_up("stranger.example", family), [STRANGER.of(family)]);
        client.is_refused(STRANGER.of(family), 22);
        // Nor does what is allowed open another port.
        client.is_refused(GITHUB.of(family), 5432);
    });
    eventually("the refusals", || (refusals(&world).len() >= 3 * Family::BOTH.len()).then_some(()));
    assert_eq!(stranger.connections(), 0);
    world.gateway.adds_up();
}
