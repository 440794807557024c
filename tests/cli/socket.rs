//! The control socket, spoken to by hand.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use decider::control::{Groups, Server, ServerError};
use serde_json::Value;

use crate::fake::{Daemon, event};
use crate::{Folder, code, decider, stderr};

/// What is answered to these bytes.
fn ask(folder: &Folder, request: &[u8]) -> Value {
    let mut stream = UnixStream::connect(folder.socket()).unwrap();
    stream.write_all(request).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

fn error(answer: &Value) -> &str {
    answer["error"]["message"].as_str().unwrap_or_default()
}

#[test]
fn a_request_is_a_line_and_so_is_its_answer() {
    let folder = Folder::new("by-hand");
    let _daemon = Daemon::start(&folder);
    let mode = std::fs::metadata(folder.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let answer = ask(&folder, b"{\"v\":1,\"request\":\"status\"}\n");
    assert_eq!((&answer["v"], &answer["reply"]["state"]), (&1.into(), &"ok".into()));
    for (request, said) in [
        (&b"nonsense\n"[..], "no JSON object"),
        (b"{\"v\":2,\"request\":\"status\"}\n", "version 2"),
        (b"{\"v\":1,\"request\":\"stop\"}\n", "unknown request"),
        (b"\xff\xfe\n", "no JSON object"),
        (b"{\"v\":1,\"request\":\"cache\",\"client\":null,\"name\":null,\"limit\":-1}\n", "unknown request"),
    ] {
        let answer = ask(&folder, request);
        assert!(error(&answer).contains(said), "{answer}");
    }
    let deep = format!("{}\n", "[".repeat(60_000));
    assert!(error(&ask(&folder, deep.as_bytes())).contains("no JSON object"));
    let long = vec![b'x'; 70_000];
    assert!(error(&ask(&folder, &long)).contains("64 KiB"));
}

#[test]
fn followers_that_have_gone_leave_their_places_to_others() {
    let folder = Folder::new("gone");
    let daemon = Daemon::start(&folder);
    daemon.publish(event());
    // More than there are places for, one after the other, while nothing happens.
    for number in 0..300 {
        let mut stream = UnixStream::connect(folder.socket()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(b"{\"v\":1,\"request\":\"events\",\"last\":1,\"follow\":true}\n").unwrap();
        let mut first = [0; 1];
        assert_eq!(stream.read(&mut first).unwrap(), 1, "follower {number} got no answer");
    }
    wait_until(|| daemon.followers() == 0);
    assert_eq!(ask(&folder, b"{\"v\":1,\"request\":\"status\"}\n")["reply"]["state"], "ok");
}

#[test]
fn a_stale_socket_is_taken_over_and_a_living_one_is_not() {
    let folder = Folder::new("stale");
    drop(UnixListener::bind(folder.socket()).unwrap());
    let daemon = Daemon::start(&folder);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _guard = runtime.enter();
    assert!(matches!(Server::bind(&folder.socket(), Groups::nobody()), Err(ServerError::Running(_))));
    drop(daemon);
    assert!(!folder.socket().exists(), "the socket stays behind");
    std::fs::write(folder.socket(), "a file").unwrap();
    assert!(matches!(Server::bind(&folder.socket(), Groups::nobody()), Err(ServerError::InTheWay(_))));
    assert_eq!(std::fs::read_to_string(folder.socket()).unwrap(), "a file");
}

#[test]
fn an_answer_in_another_version_is_told() {
    let folder = Folder::new("version");
    let listener = UnixListener::bind(folder.socket()).unwrap();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"{\"v\":2,\"reply\":{}}\n").unwrap();
        BufReader::new(stream).read_line(&mut String::new()).unwrap();
    });
    let output = decider(&folder, &["status"]);
    answering.join().unwrap();
    assert_eq!(code(&output), 4);
    assert!(stderr(&output).contains("another version"), "{}", stderr(&output));
}

fn wait_until(mut happened: impl FnMut() -> bool) {
    #[expect(clippy::disallowed_methods, reason = "a test waits by the real clock")]
    let began = Instant::now();
    while !happened() {
        assert!(began.elapsed() < Duration::from_secs(30), "it did not happen in 30 s");
        std::thread::sleep(Duration::from_millis(10));
    }
}
