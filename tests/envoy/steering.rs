//! What Envoy does is changed while it runs.

use std::collections::BTreeSet;
use std::time::Duration;

use decider::policy::Policy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{Place, Running, in_namespace, sh};

/// Rules of the way of wildcards: to where the client meant, without a look-up.
fn policy(place: &Place, rules: &[(&str, &str, &str)]) -> Policy {
    let line = |(id, name, ports): &(&str, &str, &str)| {
        format!("  - {{ id: {id}, domain: {name}, proto: tcp, port: {ports}, upstream: original }}\n")
    };
    place.with_rules(&format!("rules:\n{}", rules.iter().map(line).collect::<String>()))
}

/// The filter chains that Envoy has in use, and the listeners that it is about to end.
fn dump(place: &Place) -> (BTreeSet<String>, usize) {
    let socket = place.config_dir().join("admin.sock");
    let text = sh(&format!(
        "curl -s --unix-socket {} 'http://envoy/config_dump?resource=dynamic_listeners'",
        socket.display()
    ));
    let dump: serde_json::Value = serde_json::from_str(&text).unwrap();
    let configs = dump["configs"].as_array().cloned().unwrap_or_default();
    let chains = configs.iter().filter_map(|config| config.pointer("/active_state/listener/filter_chains"));
    let names =
        chains.flat_map(|chains| chains.as_array().unwrap().iter().map(|chain| chain["name"].as_str().unwrap()));
    let names = names.map(str::to_owned).collect();
    (names, configs.iter().filter(|config| config.get("draining_state").is_some()).count())
}

/// A connection by way of Envoy to an address that only this host has, and the far end of it.
async fn connection(address: &str, port: u16, listener: u16) -> (TcpStream, TcpStream, TcpListener) {
    let far = TcpListener::bind((address, port)).await.unwrap();
    sh(&format!(
        "nft 'add table inet t; add chain inet t o {{ type nat hook output priority -100; }}; \
         add rule inet t o meta mark != 0x300 ip daddr {address} tcp dport {port} redirect to :{listener}'"
    ));
    let near = TcpStream::connect((address, port)).await.unwrap();
    let (accepted, _) = far.accept().await.unwrap();
    (near, accepted, far)
}

async fn echo(near: &mut TcpStream, far: &mut TcpStream) {
    near.write_all(b"x").await.unwrap();
    let mut buffer = [0];
    let read = tokio::time::timeout(Duration::from_secs(5), far.read_exact(&mut buffer)).await;
    read.expect("nothing came through").unwrap();
}

async fn ready(running: &mut Running, policy: &Policy) {
    running.until_ready(policy).await;
}

#[test]
fn what_is_added_is_ready_soon_and_what_stays_is_not_touched() {
    in_namespace(|| async {
        let place = Place::new();
        sh("ip addr add 192.0.2.10/32 dev lo");
        let before = policy(&place, &[("a", "a.example", "[7000]")]);
        let mut running = crate::start(&before).await;
        ready(&mut running, &before).await;
        let (mut near, mut far, _listener) = connection("192.0.2.10", 7000, 15100).await;
        echo(&mut near, &mut far).await;

        let after = policy(&place, &[("a", "a.example", "[7000, 7001]"), ("b", "b.example", "[7000]")]);
        let files = running.steering.add(&after).unwrap();
        ready(&mut running, &after).await;
        assert!(before.routes().iter().all(|route| running.state.borrow().is_ready(route)));
        running.steering.settle(files).unwrap();
        ready(&mut running, &after).await;
        // Longer than what is taken away goes on.
        tokio::time::sleep(Duration::from_secs(3)).await;
        echo(&mut near, &mut far).await;
        let chains = dump(&place);
        let expected = ["7000 V4 original a.example", "7000 V4 original b.example", "7001 V4 original a.example"];
        assert!(expected.iter().all(|chain| chains.0.contains(*chain)), "{chains:?}");
        assert_eq!(chains.1, 0);
        running.supervisor.stop().await;
    });
}

#[test]
fn a_listener_that_leads_elsewhere_is_not_ready_until_envoy_says_so() {
    in_namespace(|| async {
        let place = Place::new();
        let before = policy(&place, &[("a", "a.example", "[7000]")]);
        let mut running = crate::start(&before).await;
        ready(&mut running, &before).await;
        let after = policy(&place, &[("a", "b.example", "[7000]")]);
        // It has the name and the port of the one that is ready.
        assert_eq!(after.routes()[0].listener_port, before.routes()[0].listener_port);
        let files = running.steering.add(&after).unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let is_ready = |running: &Running, policy: &Policy| running.state.borrow().is_ready(&policy.routes()[0]);
        assert!(is_ready(&running, &before) && !is_ready(&running, &after));

        let pid = running.state.borrow().pid().unwrap();
        sh(&format!("kill -STOP {pid}"));
        running.steering.settle(files).unwrap();
        assert!(!is_ready(&running, &before) && !is_ready(&running, &after));
        sh(&format!("kill -CONT {pid}"));
        ready(&mut running, &after).await;
        assert!(!is_ready(&running, &before));
        assert_eq!(dump(&place).0.len(), 2);
        running.supervisor.stop().await;
    });
}

#[test]
fn nothing_is_left_of_what_was_taken_away() {
    in_namespace(|| async {
        let place = Place::new();
        let few = policy(&place, &[("a", "a.example", "[7000]")]);
        let more = policy(&place, &[("a", "a.example", "[7000]"), ("b", "b.example", "[7000]")]);
        let mut running = crate::start(&few).await;
        ready(&mut running, &few).await;
        for _ in 0..20 {
            let files = running.steering.add(&more).unwrap();
            ready(&mut running, &more).await;
            running.steering.settle(files).unwrap();
            let files = running.steering.add(&few).unwrap();
            running.steering.settle(files).unwrap();
            running.until("without it", |state| !state.listeners.contains_key("b")).await;
        }
        let gone = async {
            while dump(&place).1 > 0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(crate::PATIENCE, gone).await.expect("listeners are left");
        assert_eq!(dump(&place).0.len(), 2);
        assert!(!sh("ss -Hltn").contains(":15101 "));
        running.supervisor.stop().await;
    });
}

/// Of an Envoy that was left behind, nothing is known but what it says itself.
#[test]
fn an_envoy_that_was_left_behind_with_another_policy_is_ready_when_it_has_taken_the_new_one() {
    in_namespace(|| async {
        let place = Place::new();
        let before = policy(&place, &[("a", "a.example", "[7000]"), ("c", "c.example", "[7000]")]);
        let mut first = crate::start(&before).await;
        let state = first.until_ready(&before).await;
        drop(first);
        tokio::task::yield_now().await;
        let after = policy(&place, &[("a", "b.example", "[7000]"), ("c", "c.example", "[7000]")]);
        sh(&format!("kill -STOP {}", state.pid().unwrap()));
        let mut second = crate::start(&after).await;
        sh(&format!("kill -CONT {}", state.pid().unwrap()));
        let state = second.until_ready(&after).await;
        assert!(state.adopted());
        assert!(dump(&place).0.contains("7000 V4 original b.example"));
        second.supervisor.stop().await;
    });
}
