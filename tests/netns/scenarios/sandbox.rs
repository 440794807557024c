//! What the process has given up is given up in each of its threads, and does not hinder its work.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::world::{Covered, GATEWAY, Gateway, Setup, both, eventually};

/// Tries what is in `probe.rs`: what came of each, as errno; 0 if it worked.
fn probed(gateway: &mut Gateway) -> BTreeMap<String, i64> {
    // Not beside the policy: that folder is read.
    let folder = tempfile::Builder::new().prefix("decider-elsewhere-").tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("secret"), "").unwrap();
    std::fs::write(folder.join("program"), "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(folder.join("program"), PermissionsExt::from_mode(0o755)).unwrap();
    let fault = format!("probe-sandbox:{}", folder.display());
    gateway.environment.push(("DECIDER_FAULT".to_owned(), fault));
    gateway.start();
    let log = gateway.process.as_ref().unwrap().log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let probes = lines.filter(|line| line["message"] == "sandbox probe");
    probes.map(|line| (line["what"].as_str().unwrap().to_owned(), line["answer"].as_i64().unwrap())).collect()
}

fn expected(answers: [(&str, Errno); 9]) -> BTreeMap<String, i64> {
    answers.map(|(what, errno)| (what.to_owned(), errno as i64)).into()
}

const NOTHING: Errno = Errno::UnknownErrno;

/// The fields of each thread's `/proc/PID/task/*/status` of that name.
fn of_each_thread(pid: Pid, name: &str) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let values = threads.map(|thread| {
        let status = std::fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:"))).unwrap();
        line.trim().to_owned()
    });
    values.collect()
}

#[test]
fn files_and_calls_that_it_does_not_need_are_refused() {
    let mut world = Setup::default().build();
    let answers = probed(&mut world.gateway);
    let wanted = expected([
        ("write", Errno::EACCES),
        ("read", Errno::EACCES),
        ("list", Errno::EACCES),
        ("shadow", Errno::EACCES),
        ("exec", Errno::EACCES),
        ("namespace", Errno::EPERM),
        ("packet-socket", Errno::EPERM),
        ("own-file", NOTHING),
        ("own-program", NOTHING),
    ]);
    assert_eq!(answers, wanted);
    let status = world.gateway.status();
    assert_eq!(status["sandbox"]["files"], "restricted");
    assert_eq!(status["sandbox"]["calls"], "restricted");
    world.works();
}

#[test]
fn without_it_they_are_not() {
    let mut world = Setup::default().build();
    world.gateway.arguments.extend(["--sandbox", "off"].map(str::to_owned));
    let answers = probed(&mut world.gateway);
    for what in ["write", "read", "list", "shadow", "exec", "packet-socket", "own-file", "own-program"] {
        assert_eq!(answers[what], 0, "{what}");
    }
    // Only a process of one thread can have this.
    assert_eq!(answers["namespace"], Errno::EINVAL as i64);
    assert_eq!(world.gateway.status()["sandbox"]["files"], "off");
    world.works();
}

#[test]
fn processes_of_a_covered_host_are_still_seen() {
    let world = Setup { covered: Covered::Host, ..Setup::default() }.start();
    let host = world.gateway.as_client();
    let own = std::env::current_exe().unwrap().display().to_string();
    both(|family| {
        let address = host.look_up("github.com", family)[0];
        let flow = host.connect(address, 22).unwrap();
        let event = world.gateway.event(address, 22, "allowed");
        assert_eq!((&event["exe"], &event["pid"]), (&own.clone().into(), &std::process::id().into()), "{event}");
        let (client, dst) = (GATEWAY.of(family).to_string(), address.to_string());
        let explained = world.gateway.json(&["explain", "--client", &client, "--dst", &dst, "--port", "22"]);
        assert_eq!(explained["connected"][0]["exe"], own, "{explained}");
        drop(flow);
    });
    assert_eq!(world.gateway.status()["sandbox"]["files"], "restricted");
    let pid = world.gateway.process.as_ref().unwrap().pid();
    assert!(of_each_thread(pid, "Seccomp").iter().all(|mode| mode == "2"));
}

#[test]
fn each_thread_has_given_up_the_same() {
    let mut world = Setup::default().start();
    let pid = world.gateway.process.as_ref().unwrap().pid();
    let threads = of_each_thread(pid, "Seccomp");
    assert!(threads.len() > 8, "only {} threads", threads.len());
    assert!(threads.iter().all(|mode| mode == "2"), "{threads:?}");
    assert!(of_each_thread(pid, "NoNewPrivs").iter().all(|flag| flag == "1"));
    for set in ["CapPrm", "CapEff", "CapBnd"] {
        for held in of_each_thread(pid, set) {
            // CAP_SYS_ADMIN is number 21, CAP_DAC_OVERRIDE 1, CAP_SYS_MODULE 16, CAP_SYS_PTRACE 19; CAP_NET_ADMIN 12.
            let held = u64::from_str_radix(&held, 16).unwrap();
            assert_eq!(held & (1 << 21 | 1 << 1 | 1 << 16 | 1 << 19), 0, "{set} {held:x}");
            assert_ne!(held & 1 << 12, 0, "{set} {held:x}");
        }
    }
    // Envoy, started anew, has inherited it, and serves.
    let envoy = world.gateway.envoy_pid();
    kill(envoy, Signal::SIGKILL).unwrap();
    eventually("another Envoy", || {
        let now = world.gateway.status()["envoy"]["pid"].as_i64()?;
        (now != i64::from(envoy.as_raw())).then_some(())
    });
    world.gateway.wait_until_ready();
    assert!(of_each_thread(world.gateway.envoy_pid(), "Seccomp").iter().all(|mode| mode == "2"));
    world.works();
    world.gateway.down();
}
