//! A full disk costs what would be remembered over a restart, and nothing else.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use crate::world::{GITHUB, GITLAB, Setup, World, both, eventually};

/// The state directory, a small file system of decider's own, as decider sees it.
fn state(world: &World) -> PathBuf {
    let pid = world.gateway.process.as_ref().unwrap().pid();
    let state = world.gateway.path("state");
    PathBuf::from(format!("/proc/{pid}/root{}", state.display()))
}

#[test]
fn a_full_disk_costs_persistence_and_never_service() {
    let mut world = Setup::default().build();
    let state_dir = world.gateway.path("state").display().to_string();
    let mount = format!("mkdir -p {state_dir}; mount -t tmpfs -o size=256k,mode=700 state {state_dir}; exec \"$@\"");
    world.gateway.wrapper = ["unshare", "--mount", "sh", "-ec", &mount, "sh"].map(str::to_owned).into();
    world.gateway.start();
    both(|family| assert!(GITHUB.both().contains(&world.clients[0].reach_name("github.com", family, 22).unwrap())));
    let journal = state(&world).join("observations.journal");
    eventually("a journal", || fs::read_to_string(&journal).ok()?.contains("github.com").then_some(()));

    let filler = state(&world).join("filler");
    let mut file = File::create(&filler).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    while file.write_all(&[0]).is_ok() {}
    // Enough for more than what is left of the last page of the file.
    world.internet.zone.answer_everything();
    both(|family| {
        world.clients[0].visit_all("fresh.example", family, 22, 200);
        assert!(GITLAB.both().contains(&world.clients[0].reach_name("gitlab.com", family, 22).unwrap()));
    });
    world.gateway.wait_until_degraded("journal");
    both(|family| assert!(GITLAB.both().contains(&world.clients[1].reach_name("gitlab.com", family, 22).unwrap())));

    // Room comes back once nobody has it open any more.
    drop(file);
    fs::remove_file(&filler).unwrap();
    world.gateway.wait_until_ready();
    // What could not be written when it was learned is written now.
    assert!(fs::read_to_string(&journal).unwrap().contains("gitlab.com"));
    assert_eq!(world.internet.wire.leaked(), []);
}
