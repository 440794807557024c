//! A managed Envoy under a user of its own: it has one capability, nobody else's files, and works as before.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::world::{Family, OpenFlow, Setup, World, envoy, eventually, give_envoy_to_others};

/// Numbers that no user of a machine has.
const USER: u32 = 64_321;
const STRANGE_USER: u32 = 64_322;

/// A world where that user gets at the program and at Envoy's directory, with the policy's line for it.
fn build(user: &str) -> World {
    let world = Setup::default().build();
    give_envoy_to_others(world.gateway.directory.path());
    write_policy(&world, user);
    world
}

fn write_policy(world: &World, user: &str) {
    let policy = Setup::default().policy(world.gateway.directory.path());
    let program = world.gateway.path("envoy-program").display().to_string();
    let policy = policy.replace(&envoy().display().to_string(), &program);
    world.gateway.write_policy(&policy.replace("manage: true", &format!("manage: true{user}")));
}

/// The fields of `/proc/PID/status` of that name, without blanks around.
fn field(pid: Pid, name: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:"))).unwrap();
    line.trim().to_owned()
}

fn is_confined(pid: Pid) {
    let four = [USER.to_string(), USER.to_string(), USER.to_string(), USER.to_string()].join("\t");
    assert_eq!(field(pid, "Uid"), four);
    assert_eq!(field(pid, "Gid"), four);
    assert_eq!(field(pid, "Groups"), "");
    // CAP_NET_ADMIN is number 12.
    for set in ["CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(field(pid, set), "0000000000001000", "{set}");
    }
    assert_eq!(field(pid, "NoNewPrivs"), "1");
}

/// A shell command as a user without rights, in decider's directory.
fn sh_as(world: &World, user: u32, script: &str) -> Output {
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), &format!("--regid={user}"), "--clear-groups", "--", "sh", "-ec", script]);
    command.current_dir(world.gateway.directory.path()).output().unwrap()
}

#[test]
fn it_runs_with_one_capability_and_connections_go_through() {
    let mut world = build(&format!(", user: {USER}"));
    world.gateway.start();
    is_confined(world.gateway.envoy_pid());
    world.works();
    world.gateway.adds_up();
    world.gateway.down();
    assert_eq!(world.gateway.namespace.processes(), []);
}

#[test]
fn its_files_are_for_it_and_decider_alone() {
    let mut world = build(&format!(", user: {USER}"));
    world.gateway.start();
    world.works();
    for (user, script) in [
        (STRANGE_USER, "ls envoy"),
        (STRANGE_USER, "cat envoy/bootstrap.json"),
        (USER, "echo >>envoy/lds.json"),
        (USER, "rm -f envoy/lds.json"),
        (USER, "mv envoy/cds.json envoy/other"),
        (USER, "cat state/slots.json"),
        (USER, "cat envoy/envoy.log"),
    ] {
        let output = sh_as(&world, user, script);
        assert!(!output.status.success(), "user {user} could `{script}`");
    }
    for script in ["cat envoy/bootstrap.json envoy/lds.json", "echo >>envoy/access.log"] {
        assert!(sh_as(&world, USER, script).status.success(), "Envoy's user cannot `{script}`");
    }
    let mode = std::fs::metadata(world.gateway.path("envoy")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o1770);
}

#[test]
fn it_outlives_a_kill_of_decider_and_is_known_again() {
    let mut world = build(&format!(", user: {USER}"));
    world.gateway.start();
    let pid = world.gateway.envoy_pid();
    let mut flows = Family::BOTH.map(|family| {
        let address = world.clients[0].look_up("github.com", family)[0];
        OpenFlow::new(world.clients[0].connect(address, 22).unwrap())
    });
    world.gateway.end_by(Signal::SIGKILL);
    assert!(flows.iter_mut().all(OpenFlow::is_alive));
    world.gateway.start();
    assert_eq!(world.gateway.envoy_pid(), pid);
    assert_eq!(world.gateway.status()["envoy"]["adopted"], true);
    assert!(flows.iter_mut().all(OpenFlow::is_alive));
    world.works();

    // Killed, it comes back as the same user; left behind, `down` finds it.
    kill(pid, Signal::SIGKILL).unwrap();
    eventually("another Envoy", || {
        let now = world.gateway.status()["envoy"]["pid"].as_i64()?;
        (now != i64::from(pid.as_raw())).then_some(())
    });
    world.gateway.wait_until_ready();
    is_confined(world.gateway.envoy_pid());
    world.works();
    world.gateway.end_by(Signal::SIGKILL);
    world.gateway.down();
    assert_eq!(world.gateway.namespace.processes(), []);
}

#[test]
fn it_can_be_given_a_user_and_lose_it_again() {
    let mut world = build("");
    world.gateway.start();
    world.works();
    assert_eq!(field(world.gateway.envoy_pid(), "Uid"), "0\t0\t0\t0");
    for user in [format!(", user: {USER}"), String::new(), format!(", user: {USER}")] {
        // As after a crash: what runs is not what the policy wants now.
        world.gateway.end_by(Signal::SIGKILL);
        write_policy(&world, &user);
        world.gateway.start();
        world.works();
        let uid = field(world.gateway.envoy_pid(), "Uid");
        assert_eq!(uid.starts_with("0\t"), user.is_empty(), "{uid} for \"{user}\"");
    }
    is_confined(world.gateway.envoy_pid());
}

#[test]
fn a_user_that_cannot_be_had_is_an_error_at_the_start() {
    for (user, words) in [
        (", user: no-such-user", ["no-such-user", "no such user"]),
        (", user: root", ["root", "envoy.user"]),
        (", user: 0", ["envoy.user 0", "root"]),
    ] {
        let mut world = build(user);
        let start = world.gateway.failed_start();
        assert_eq!(start.code, Some(4), "{}", start.log);
        assert!(words.iter().all(|word| start.log.contains(word)), "{}", start.log);
        assert_eq!(world.gateway.namespace.processes(), []);
    }
    // One who does not get as far as Envoy's directory.
    let mut world = build(&format!(", user: {USER}"));
    std::fs::set_permissions(world.gateway.directory.path(), PermissionsExt::from_mode(0o700)).unwrap();
    let start = world.gateway.failed_start();
    assert_eq!(start.code, Some(4), "{}", start.log);
    let folder = world.gateway.directory.path().display().to_string();
    assert!(start.log.contains(&format!("does not get into {folder}")), "{}", start.log);
}
