//! Events in a file: all of them, whatever is rotated, and nothing harmed when the disk is full.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::world::{GITHUB, STRANGER, Setup, World, both, eventually};

/// The whole lines of a file, in order: the last one may be being written.
fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let (whole, _) = text.rsplit_once('\n').unwrap_or_default();
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Those of all its files, the oldest first.
fn all_lines(path: &Path) -> Vec<Value> {
    let older = (1..=100).rev().map(|number| PathBuf::from(format!("{}.{number}", path.display())));
    older.chain([path.to_owned()]).flat_map(|path| lines(&path)).collect()
}

fn with(rotate: &str) -> (World, PathBuf) {
    let world = Setup::default().build();
    let file = world.gateway.path("told/events.jsonl");
    world.gateway.add_to_policy(&format!("events: {{ file: {}{rotate} }}", file.display()));
    (world, file)
}

#[test]
fn the_file_has_what_events_tells_and_goes_on_after_a_restart_and_a_rename() {
    let (mut world, file) = with("");
    world.gateway.arguments.extend(["--group", "staff"].map(str::to_owned));
    world.gateway.start();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    world.works();
    eventually("all of it", || (lines(&file) == world.gateway.events()).then_some(()));
    let before = lines(&file);
    assert!(before.len() >= 8, "{before:?}");
    let status = world.gateway.status();
    assert_eq!((&status["event_file"]["written"], &status["event_file"]["lost"]), (&before.len().into(), &0.into()));

    world.gateway.end_by(nix::sys::signal::Signal::SIGKILL);
    File::options().append(true).open(&file).unwrap().write_all(b"{\"half\":").unwrap();
    world.gateway.start();
    world.works();
    eventually("the rest", || {
        let text = fs::read_to_string(&file).unwrap();
        let whole: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        (whole == [before.clone(), world.gateway.events()].concat()).then_some(())
    });

    let moved = world.gateway.path("told/moved");
    fs::rename(&file, &moved).unwrap();
    both(|family| world.clients[0].is_refused(STRANGER.of(family), 22));
    eventually("another file", || (lines(&file).len() == 6).then_some(()));
}

#[test]
fn the_disk_that_it_takes_is_bounded_and_no_event_is_lost_on_the_way() {
    let (mut world, file) = with(", rotate: { size: 64KiB, keep: 2 }");
    world.gateway.start();
    both(|family| {
        // Each to a port of its own, so that none are put together.
        for port in 1_000..1_400 {
            let error = world.clients[0].connect(STRANGER.of(family), port).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
        }
        for _ in 0..300 {
            world.clients[0].reach_name("github.com", family, 22).unwrap();
        }
    });
    let folder = file.parent().unwrap();
    let rotated = |name: &str| folder.join(name).exists();
    eventually("an older file", || rotated("events.jsonl.2").then_some(()));
    eventually("the last event", || {
        let (kept, told) = (all_lines(&file), world.gateway.events());
        (!kept.is_empty() && told.ends_with(&kept)).then_some(())
    });
    assert!(!rotated("events.jsonl.3"));
    for entry in fs::read_dir(folder).unwrap() {
        assert!(entry.unwrap().metadata().unwrap().len() <= 64 << 10);
    }
    assert_eq!(world.gateway.status()["event_file"]["lost"], 0);
}

#[test]
fn a_full_disk_costs_events_in_the_file_and_nothing_else() {
    let (mut world, file) = with("");
    let folder = file.parent().unwrap().display().to_string();
    let mount = format!("mkdir -p {folder}; mount -t tmpfs -o size=64k,mode=755 log {folder}; exec \"$@\"");
    world.gateway.wrapper = ["unshare", "--mount", "sh", "-ec", &mount, "sh"].map(str::to_owned).into();
    world.gateway.start();
    let pid = world.gateway.process.as_ref().unwrap().pid();
    let inside = PathBuf::from(format!("/proc/{pid}/root{folder}"));
    let seen = inside.join("events.jsonl");
    world.works();
    eventually("events", || (lines(&seen).len() >= 8).then_some(()));

    let filler = inside.join("filler");
    let mut full = File::create(&filler).unwrap();
    while full.write_all(&[0; 4096]).is_ok() {}
    while full.write_all(&[0]).is_ok() {}
    both(|family| {
        for _ in 0..20 {
            assert!(GITHUB.both().contains(&world.clients[0].reach_name("github.com", family, 22).unwrap()));
        }
    });
    world.gateway.wait_until_degraded("events");
    world.works();
    let lost =
        eventually("lost events", || world.gateway.status()["event_file"]["lost"].as_u64().filter(|lost| *lost > 0));
    eventually("whole lines", || fs::read_to_string(&seen).unwrap().ends_with('\n').then_some(()));

    drop(full);
    fs::remove_file(&filler).unwrap();
    world.gateway.wait_until_ready();
    both(|family| world.clients[0].is_refused(STRANGER.of(family), 5432));
    let status = eventually("the rest", || {
        let status = world.gateway.status();
        let written = status["event_file"]["written"].as_u64().unwrap();
        let told: u64 = lines(&seen).iter().filter(|line| line.get("gap").is_none()).count().try_into().unwrap();
        (told == written && lines(&seen).last()?["dst_port"] == 5432).then_some(status)
    });
    let gaps: u64 = lines(&seen).iter().filter_map(|line| line["gap"].as_u64()).sum();
    assert_eq!(status["event_file"]["lost"], gaps);
    assert!(gaps >= lost);
    let log = world.gateway.process.as_ref().unwrap().log();
    assert_eq!(log.matches("cannot be written to their file").count(), 1, "{log}");
    assert_eq!(log.matches("written to their file again").count(), 1);
}
