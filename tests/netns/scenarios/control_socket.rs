//! Nonsense on the control socket harms nobody, and only root is listened to.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;

use crate::world::{GITHUB, Gateway, RESOLVER, STRANGER, Setup, both, eventually};

fn connect(gateway: &Gateway) -> UnixStream {
    let stream = UnixStream::connect(gateway.path("control.sock")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// What comes back to these bytes; whatever it is, it comes to an end.
pub fn reply_to(gateway: &Gateway, request: &[u8]) -> String {
    let mut stream = connect(gateway);
    match stream.write_all(request) {
        Ok(()) => {}
        // decider had enough of it.
        Err(error) => assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error}"),
    }
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut reply = Vec::new();
    // A reset after the reply is an end too.
    let _ = stream.read_to_end(&mut reply);
    String::from_utf8(reply).unwrap()
}

#[test]
fn nonsense_is_answered_and_forgotten() {
    let world = Setup::default().start();
    let gateway = &world.gateway;
    for request in
        [&b"\n"[..], b"hello\n", b"{\"v\":1,\"request\":\"status\"", b"{}\n", b"\xff\xfe\0\n", &vec![b'['; 60_000]]
    {
        let reply = reply_to(gateway, request);
        assert!(reply.contains("\"error\""), "{request:?}: {reply}");
    }
    let before = gateway.process.as_ref().unwrap().resident();
    reply_to(gateway, &vec![b'x'; 32 << 20]);
    assert!(gateway.process.as_ref().unwrap().resident() < before + (8 << 20));
    assert_eq!(gateway.status()["state"], "ok");
    both(|family| {
        world.clients[0].is_refused(STRANGER.of(family), 22);
        world.gateway.event(STRANGER.of(family), 22, "no-observation");
    });
    assert_eq!(world.internet.wire.leaked(), []);
    world.gateway.adds_up();
}

#[test]
fn connections_that_live_are_listed_with_their_names() {
    let world = Setup::default().start();
    world.gateway.namespace.sh("sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1");
    let flows = || -> Vec<Value> {
        let reply = reply_to(&world.gateway, b"{\"v\":1,\"request\":\"flows\"}\n");
        serde_json::from_str::<Value>(&reply).unwrap()["reply"].as_array().unwrap().clone()
    };
    assert!(flows().is_empty());
    both(|family| {
        let client = &world.clients[0];
        // DNS over TCP goes through a listener of decider's own, and is no rule's.
        let _resolver = client.connect(RESOLVER.of(family), 53).unwrap();
        let address = client.look_up("github.com", family)[0];
        let mut stream = client.connect(address, 22).unwrap();
        stream.read_exact(&mut [0; 1]).unwrap();
        let listed = flows();
        let [flow] = listed.as_slice() else { panic!("{listed:?}") };
        assert_eq!(flow["client"], client.address(family).to_string());
        assert_eq!(flow["client_port"], stream.local_addr().unwrap().port());
        assert_eq!((flow["dst"].as_str(), &flow["dst_port"]), (Some(&*address.to_string()), &22.into()));
        assert!(GITHUB.both().contains(&address));
        assert_eq!((&flow["domain"], &flow["rule"]), (&"github.com".into(), &"github.com:22/ssh".into()), "{flow}");
        assert!(flow["bytes_out"].as_u64() > Some(40) && flow["bytes_in"].as_u64() > Some(40), "{flow}");
        assert!(flow["age_s"].is_u64() && flow["left_s"].is_u64(), "{flow}");
        assert_eq!(flow.get("exe"), None);
        drop(stream);
        eventually("its end", || flows().is_empty().then_some(()));
    });
}

#[test]
fn idle_connections_end_and_the_packet_path_does_not_notice() {
    let world = Setup::default().start();
    let _idle: Vec<UnixStream> = (0..1_000).map(|_| connect(&world.gateway)).collect();
    both(|family| {
        world.clients[0].is_refused(STRANGER.of(family), 22);
        assert!(world.clients[0].reach_name("github.com", family, 22).is_ok());
    });
    // They have had their time by then.
    world.gateway.wait_until_ready();
    both(|family| drop(world.gateway.event(STRANGER.of(family), 22, "no-observation")));
    assert_eq!(world.internet.wire.leaked(), []);
    world.gateway.adds_up();
}

#[test]
fn only_root_is_listened_to() {
    let world = Setup::default().start();
    let socket = world.gateway.path("control.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let ask = || {
        let output = world.gateway.cli_by("setpriv", &nobody, &["down"]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, message) = ask();
    assert_eq!(code, Some(4), "{message}");
    // Even where somebody opens the socket to all, decider asks who speaks.
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o666)).unwrap();
    std::fs::set_permissions(world.gateway.directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let (code, message) = ask();
    assert_eq!(code, Some(4), "{message}");
    assert!(message.contains("65534"), "{message}");
    assert_eq!(world.gateway.status()["state"], "ok");
}

/// Groups that each Debian has, and nobody is in by default.
const GROUP: &str = "staff";
const COMMANDERS: &str = "operator";

#[test]
fn members_of_a_group_may_look_and_no_more() {
    let mut world = Setup::default().build();
    world.gateway.arguments.extend(["--group".to_owned(), GROUP.to_owned()]);
    world.gateway.start();
    let socket = world.gateway.path("control.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o660);
    std::fs::set_permissions(world.gateway.directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let by = |group: &str, command: &[&str]| {
        let group = format!("--regid={group}");
        let output = world.gateway.cli_by("setpriv", &["--reuid=65534", &group, "--clear-groups"], command);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let looks: [&[&str]; 5] = [
        &["status"],
        &["events"],
        &["rules"],
        &["cache"],
        &["explain", "--client", "10.77.1.2", "--dst", "192.0.2.1", "--port", "22"],
    ];
    for look in looks {
        let (code, message) = by(GROUP, look);
        assert_eq!(code, Some(i32::from(look[0] == "explain")), "{look:?}: {message}");
        assert_eq!(by("nogroup", look).0, Some(4), "{look:?}");
    }
    for command in [&["down"][..], &["reload"], &["reload", "--dry-run"]] {
        let (code, message) = by(GROUP, command);
        assert_eq!(code, Some(4), "{command:?}: {message}");
        assert!(message.contains("not command"), "{command:?}: {message}");
    }
    // However many of them there are, root has its place.
    let idle = "push @held, IO::Socket::UNIX->new(Peer => $ARGV[0]) for 1..200; $| = 1; print qq(held); sleep 60";
    let mut crowd = std::process::Command::new("setpriv")
        .args([
            "--reuid=65534",
            &format!("--regid={GROUP}"),
            "--clear-groups",
            "perl",
            "-MIO::Socket::UNIX",
            "-e",
            idle,
        ])
        .arg(&socket)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    crowd.stdout.take().unwrap().read_exact(&mut [0; 4]).unwrap();
    let status = world.gateway.status();
    crowd.kill().unwrap();
    crowd.wait().unwrap();
    assert_eq!(status["state"], "ok");
}

#[test]
fn members_of_the_group_that_is_named_for_it_give_commands() {
    let mut world = Setup::default().build();
    world.gateway.arguments.extend(["--command-group".to_owned(), COMMANDERS.to_owned()]);
    world.gateway.start();
    let socket = world.gateway.path("control.sock");
    std::fs::set_permissions(world.gateway.directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    // Whoever gets at the socket is still asked who it is.
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o666)).unwrap();
    let by = |group: &str, command: &[&str]| {
        let group = format!("--regid={group}");
        let output = world.gateway.cli_by("setpriv", &["--reuid=65534", &group, "--clear-groups"], command);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let commands: [&[&str]; 4] =
        [&["status"], &["reload"], &["allow", "github.com:7000", "--for", "5m"], &["allow", "--revoke", "github.com"]];
    for command in commands {
        assert_eq!(by("nogroup", command).0, Some(4), "{command:?}");
        let (code, message) = by(COMMANDERS, command);
        assert_eq!(code, Some(0), "{command:?}: {message}");
    }
    let log = world.gateway.process.as_ref().unwrap().log();
    assert!(log.contains("a temporary rule was added") && log.contains("\"by\":65534"), "{log}");
}

#[test]
fn who_asks_too_often_is_told_so_and_others_are_not_held_up() {
    let mut world = Setup::default().build();
    world.gateway.arguments.extend(["--group".to_owned(), GROUP.to_owned()]);
    world.gateway.start();
    std::fs::set_permissions(world.gateway.directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let asks = "for (1..1000) { my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or next; \
                print $s qq({\"v\":1,\"request\":\"rules\"}\\n); print scalar <$s> }";
    let output = std::process::Command::new("setpriv")
        .args(["--reuid=65534", &format!("--regid={GROUP}"), "--clear-groups", "perl", "-MIO::Socket::UNIX", "-e"])
        .arg(format!("$SIG{{PIPE}} = 'IGNORE'; {asks}"))
        .arg(world.gateway.path("control.sock"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let (answered, refused) = (said.matches("\"reply\"").count(), said.matches("100 times a second").count());
    assert!(answered >= 200 && refused > 0, "{answered} answered, {refused} refused: {}", said.len());
    // Root asks as often as it likes.
    for _ in 0..1_000 {
        let reply = reply_to(&world.gateway, b"{\"v\":1,\"request\":\"temporary\"}\n");
        assert!(reply.contains("\"reply\""), "{reply}");
    }
    assert_eq!(world.gateway.status()["state"], "ok");
}
