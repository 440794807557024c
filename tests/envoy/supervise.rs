use std::process::{Child, Command};
use std::time::Duration;

use decider::envoy::{EnvoyState, Phase, stop_leftover};
use decider::policy::Policy;
use tokio::net::TcpListener;

use crate::{Place, in_namespace, sh, start};

fn ready_in(state: &EnvoyState, place: &Place) -> usize {
    place.policy.routes().iter().filter(|route| state.is_ready(route)).count()
}

fn signal(state: &EnvoyState, name: &str) {
    sh(&format!("kill -{name} {}", state.pid().unwrap()));
}

fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[test]
fn listeners_are_up_in_both_families_and_gone_after_a_stop() {
    in_namespace(|| async {
        let place = Place::new();
        let mut running = place.start().await;
        let state = running.until_ready(&place.policy).await;
        assert_eq!((state.word(), state.restarts, state.adopted()), ("live", 0, false));
        let sockets = sh("ss -Hltn");
        for address in ["127.0.0.1", "[::1]"] {
            for port in 15100..=15102 {
                assert!(sockets.contains(&format!("{address}:{port} ")), "{address}:{port} is not in\n{sockets}");
            }
        }
        let limit = std::fs::read_to_string(format!("/proc/{}/limits", state.pid().unwrap())).unwrap();
        assert!(limit.lines().any(|line| line.starts_with("Max open files") && !line.contains(" 1024 ")), "{limit}");
        running.supervisor.stop().await;
        assert!(!is_alive(state.pid().unwrap()));
        assert_eq!(sh("ss -Hltn"), "");
        assert!(!place.config_dir().join("admin.sock").exists() && !place.config_dir().join("envoy.pid").exists());
    });
}

#[test]
fn a_killed_envoy_is_not_ready_at_once_and_comes_back() {
    in_namespace(|| async {
        let place = Place::new();
        let mut running = place.start().await;
        let mut state = running.until_ready(&place.policy).await;
        for restarts in 1..=2 {
            let before = state.pid().unwrap();
            signal(&state, "KILL");
            state = running.until("down", |state| state.phase == Phase::Down).await;
            assert_eq!((ready_in(&state, &place), state.pid()), (0, None));
            assert!(state.describe().contains("signal: 9"), "{}", state.describe());
            state = running.until_ready(&place.policy).await;
            assert_eq!((state.restarts, state.last_error.as_deref()), (restarts, None));
            assert_ne!(state.pid().unwrap(), before);
        }
        running.supervisor.stop().await;
    });
}

#[test]
fn a_silent_envoy_is_not_ready_until_it_answers_again() {
    in_namespace(|| async {
        let place = Place::new();
        let mut running = place.start().await;
        let before = running.until_ready(&place.policy).await;
        signal(&before, "STOP");
        let state = running.until("silent", |state| state.phase == Phase::Silent).await;
        assert_eq!((ready_in(&state, &place), state.pid()), (0, before.pid()));
        signal(&before, "CONT");
        let state = running.until_ready(&place.policy).await;
        assert_eq!((state.restarts, state.pid()), (0, before.pid()));
        // A stop ends it even if it cannot hear.
        signal(&state, "STOP");
        running.supervisor.stop().await;
        assert!(!is_alive(state.pid().unwrap()));
    });
}

/// On a busy machine it may be a second before it gets to answer. Its listeners' sockets take connections meanwhile.
#[test]
fn an_envoy_that_hesitates_goes_on_being_ready() {
    in_namespace(|| async {
        let place = Place::new();
        let mut running = place.start().await;
        let before = running.until_ready(&place.policy).await;
        signal(&before, "STOP");
        let silent = running.until("silent", |state| state.phase == Phase::Silent);
        assert!(tokio::time::timeout(Duration::from_millis(1_500), silent).await.is_err(), "it counts as silent");
        signal(&before, "CONT");
        running.supervisor.stop().await;
    });
}

#[test]
fn an_envoy_that_was_left_behind_is_taken_over() {
    in_namespace(|| async {
        let place = Place::new();
        let mut first = place.start().await;
        let before = first.until_ready(&place.policy).await;
        drop(first);
        tokio::task::yield_now().await;
        assert!(is_alive(before.pid().unwrap()));
        let more = place.with("rules:\n", "rules:\n  - { domain: new.example.com, proto: ssh }\n");
        let mut second = start(&more).await;
        let state = second.until_ready(&more).await;
        assert_eq!((state.pid(), state.adopted(), state.restarts), (before.pid(), true, 0));
        assert_eq!(more.routes().len(), place.policy.routes().len() + 1);
        // Its end is noticed as that of a child would be.
        signal(&state, "KILL");
        let state = second.until("down", |state| state.phase == Phase::Down).await;
        assert!(!state.is_ready(&more.routes()[0]));
        let state = second.until_ready(&more).await;
        assert_eq!((state.adopted(), state.restarts), (false, 1));
        second.supervisor.stop().await;
        assert!(!is_alive(state.pid().unwrap()));
    });
}

#[test]
fn an_envoy_that_was_left_behind_is_ended() {
    in_namespace(|| async {
        let place = Place::new();
        assert!(!stop_leftover(&place.config_dir()).await.unwrap());
        let mut running = place.start().await;
        let state = running.until_ready(&place.policy).await;
        let held = stop_leftover(&place.config_dir()).await.unwrap_err().to_string();
        assert!(held.contains("another decider holds"), "{held}");
        drop(running);
        tokio::task::yield_now().await;
        assert!(stop_leftover(&place.config_dir()).await.unwrap());
        assert!(!is_alive(state.pid().unwrap()));
        assert!(!stop_leftover(&place.config_dir()).await.unwrap());
    });
}

#[test]
fn another_process_with_the_same_number_is_left_alone() {
    in_namespace(|| async {
        let place = Place::new();
        let mut running = place.start().await;
        let state = running.until_ready(&place.policy).await;
        let path = place.config_dir().join("envoy.pid");
        let saved = std::fs::read_to_string(&path).unwrap();
        running.supervisor.stop().await;
        drop(running.steering);
        let mut other = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let pid = state.pid().unwrap().to_string();
        std::fs::write(&path, saved.replace(&pid, &other.id().to_string())).unwrap();
        assert!(!stop_leftover(&place.config_dir()).await.unwrap());
        assert!(is_alive(other.id()));
        other.kill().unwrap();
        other.wait().unwrap();
    });
}

#[test]
fn a_taken_port_is_one_listener_missing_until_it_is_free() {
    in_namespace(|| async {
        let place = Place::new();
        let taken = TcpListener::bind("[::1]:15101").await.unwrap();
        let mut running = place.start().await;
        let state = running.until("told why", |state| state.last_error.is_some() && state.is_well()).await;
        let routes = place.policy.routes();
        let ready: Vec<bool> = routes.iter().map(|route| state.is_ready(route)).collect();
        assert_eq!(ready, [true, false, true]);
        let error = state.last_error.unwrap();
        assert!(error.contains("[::1]:15101") && error.contains("in use"), "{error}");
        drop(taken);
        let state = running.until_ready(&place.policy).await;
        assert_eq!((state.last_error, state.restarts), (None, 0));
        running.supervisor.stop().await;
    });
}

/// The policy of a place whose Envoy decider does not keep running.
fn of_somebody_else(place: &Place) -> Policy {
    let binary = format!("  binary: {}\n", crate::envoy().display());
    place.with(&format!("manage: true\n{binary}"), "manage: false\n")
}

/// An Envoy that runs by decider's files.
fn somebody_elses(place: &Place) -> Child {
    Command::new(crate::envoy())
        .args(["--disable-hot-restart", "--log-level", "critical", "--concurrency", "1", "-c"])
        .arg(place.config_dir().join("bootstrap.json"))
        .spawn()
        .unwrap()
}

#[test]
fn somebody_elses_envoy_is_watched_and_never_ended() {
    in_namespace(|| async {
        let managed = Place::new();
        let policy = of_somebody_else(&managed);
        let mut running = start(&policy).await;
        assert!(managed.config_dir().join("bootstrap.json").exists());
        assert!(!running.state.borrow().is_well());
        let mut theirs = somebody_elses(&managed);
        let state = running.until_ready(&policy).await;
        assert_eq!(state.pid(), None);
        theirs.kill().unwrap();
        theirs.wait().unwrap();
        running.until("silent", |state| state.phase == Phase::Silent).await;
        let mut theirs = somebody_elses(&managed);
        running.until_ready(&policy).await;
        running.supervisor.stop().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(is_alive(theirs.id()));
        theirs.kill().unwrap();
        theirs.wait().unwrap();
    });
}

/// For minutes, in a moment: the clock goes on whenever everybody sleeps.
#[test]
fn somebody_elses_envoy_that_is_away_for_long_is_down_until_it_is_there() {
    in_namespace(|| async {
        let managed = Place::new();
        let policy = of_somebody_else(&managed);
        let mut running = start(&policy).await;
        tokio::time::pause();
        let minutes = tokio::time::Instant::now() + Duration::from_secs(300);
        let mut phases = Vec::new();
        while let Ok(changed) = tokio::time::timeout_at(minutes, running.state.changed()).await {
            changed.unwrap();
            phases.push(running.state.borrow_and_update().phase);
        }
        assert_eq!(phases, [Phase::Down]);
        tokio::time::resume();
        let mut theirs = somebody_elses(&managed);
        running.until_ready(&policy).await;
        running.supervisor.stop().await;
        theirs.kill().unwrap();
        theirs.wait().unwrap();
    });
}

#[test]
fn logs_that_have_become_too_large_are_put_aside_and_begun_anew() {
    in_namespace(|| async {
        let place = Place::new();
        let dir = place.config_dir();
        sh(&format!("mkdir -m 0700 {0}; truncate -s 9M {0}/access.log {0}/envoy.log", dir.display()));
        let size = |name: &str| dir.join(name).metadata().map_or(0, |found| found.len());
        let mut running = place.start().await;
        running.until_ready(&place.policy).await;
        let done = async {
            while size("access.log.1") < 9 << 20 || size("envoy.log.1") < 9 << 20 || !dir.join("access.log").exists() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(crate::PATIENCE, done).await.unwrap();
        assert!(size("access.log") < 1 << 20 && size("envoy.log") < 1 << 20);
        running.supervisor.stop().await;
    });
}
