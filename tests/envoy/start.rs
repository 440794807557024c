use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use decider::envoy::Launch;
use decider::queue::{NfqQueue, QueueOptions};

use crate::{Place, in_namespace, policy, text};

/// Why a start with this program and directory is refused.
async fn refused(config_dir: &Path, binary: &Path) -> String {
    let policy = policy(&text(config_dir, binary));
    let error = Launch::prepare(&policy).await.unwrap_err();
    assert!(error.help().is_some(), "{error}");
    error.to_string()
}

fn program(path: &Path, script: &str) {
    std::fs::write(path, script).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn without_a_usable_program_nothing_is_left_behind() {
    in_namespace(|| async {
        let place = Place::new();
        let binary = place.directory.path().join("other");
        let config_dir = place.config_dir();
        let found = refused(&config_dir, &binary).await;
        assert!(found.contains("not installed") && found.contains("other"), "{found}");
        std::fs::write(&binary, "no program").unwrap();
        assert!(refused(&config_dir, &binary).await.contains("not installed"));
        for (script, expected) in [
            ("not a script", "cannot be started"),
            ("#!/bin/sh\necho what", "\"what\""),
            ("#!/bin/sh\nexit 3", "exit status: 3"),
            ("#!/bin/sh\necho 'envoy  version: 0/1.33.9/Clean/RELEASE/BoringSSL'", "1.33, and 1.34 or newer"),
        ] {
            program(&binary, script);
            let found = refused(&config_dir, &binary).await;
            assert!(found.contains(expected), "{found}");
        }
        assert!(!config_dir.exists());
    });
}

#[test]
fn a_directory_that_is_not_ours_alone_is_refused() {
    in_namespace(|| async {
        let place = Place::new();
        let target = place.directory.path().join("target");
        std::fs::create_dir(&target).unwrap();
        let config_dir = place.config_dir();
        let binary = crate::envoy();

        symlink(&target, &config_dir).unwrap();
        assert!(refused(&config_dir, &binary).await.contains("is a link"));
        std::fs::remove_file(&config_dir).unwrap();

        std::fs::write(&config_dir, "").unwrap();
        assert!(refused(&config_dir, &binary).await.contains("is not a directory"));
        std::fs::remove_file(&config_dir).unwrap();

        std::fs::create_dir(&config_dir).unwrap();
        std::fs::set_permissions(&config_dir, PermissionsExt::from_mode(0o777)).unwrap();
        assert!(refused(&config_dir, &binary).await.contains("can be written by others"));
        std::fs::set_permissions(&config_dir, PermissionsExt::from_mode(0o700)).unwrap();
        std::os::unix::fs::chown(&config_dir, Some(65534), None).unwrap();
        assert!(refused(&config_dir, &binary).await.contains("belongs to another user"));
        assert_eq!(std::fs::read_dir(&target).unwrap().count(), 0);
    });
}

#[test]
fn two_deciders_do_not_share_a_directory() {
    in_namespace(|| async {
        let place = Place::new();
        let first = Launch::prepare(&place.policy).await.unwrap();
        assert!(!first.is_running());
        let second = Launch::prepare(&place.policy).await.unwrap_err();
        assert!(second.to_string().contains("another decider holds"), "{second}");
        drop(first);
        Launch::prepare(&place.policy).await.unwrap();
    });
}

/// The sockets that a process has open, each by its number in the kernel.
fn sockets(process: &str) -> Vec<String> {
    let open = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let targets = open.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    targets.map(|target| target.display().to_string()).filter(|target| target.starts_with("socket:")).collect()
}

/// Envoy outlives decider: with one of its queue's sockets it would keep the queue from the next decider.
#[test]
fn no_socket_of_decider_is_handed_on() {
    in_namespace(|| async {
        let options = QueueOptions { number: 5300, copy_range: 128, max_length: 16 };
        let _queue = NfqQueue::open(options).unwrap();
        let place = Place::new();
        let mut running = place.start().await;
        let state = running.until_ready(&place.policy).await;
        let ours = sockets("self");
        let shared: Vec<String> =
            sockets(&state.pid().unwrap().to_string()).into_iter().filter(|socket| ours.contains(socket)).collect();
        assert_eq!(shared, Vec::<String>::new());
        running.supervisor.stop().await;
    });
}

#[test]
fn a_start_that_comes_to_nothing_leaves_no_directory() {
    in_namespace(|| async {
        let place = Place::new();
        drop(Launch::prepare(&place.policy).await.unwrap());
        assert!(!place.config_dir().exists());
        // One that was there stays.
        std::fs::create_dir(place.config_dir()).unwrap();
        std::fs::set_permissions(place.config_dir(), PermissionsExt::from_mode(0o700)).unwrap();
        drop(Launch::prepare(&place.policy).await.unwrap());
        assert!(place.config_dir().exists());
        assert_eq!(std::fs::read_dir(place.config_dir()).unwrap().count(), 0);
    });
}
