//! The admin socket of an Envoy that is not there: ten thousand listeners of the real one take gigabytes, and what it does
//! with a connection is not what is measured on these paths. It says of each listener in decider's files that it serves.

mod resources;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;

use resources::File;

use crate::world::eventually;

/// Answers for as long as the program runs.
pub fn start(config_dir: &Path) {
    std::fs::create_dir_all(config_dir).unwrap();
    let listener = UnixListener::bind(config_dir.join("admin.sock")).unwrap();
    let [mut listeners, mut clusters] = ["lds.json", "cds.json"].map(|name| File::new(config_dir.join(name)));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Whoever asked may be gone.
            let _ = answer(stream, &mut listeners, &mut clusters);
        }
    });
}

/// The port of a listener, once decider has written its files.
pub fn port_of(config_dir: &Path, name: &str) -> u16 {
    let mut listeners = File::new(config_dir.join("lds.json"));
    eventually("the listener's port", || listeners.read().port_of(name))
}

fn answer(mut stream: UnixStream, listeners: &mut File, clusters: &mut File) -> std::io::Result<()> {
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line)?;
    let target = line.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let body = match path {
        "/listeners" => listeners.read().statuses().to_owned(),
        "/config_dump" if query.contains("resource=dynamic_listeners&name_regex") => {
            listeners.read().dump(&names(query), r#"{"active_state":{"listener":"#, "}}")
        }
        "/config_dump" if query.contains("resource=dynamic_active_clusters") => {
            clusters.read().dump(&names(query), r#"{"cluster":"#, "}")
        }
        "/config_dump" => "{}".to_owned(),
        _ => "LIVE\n".to_owned(),
    };
    write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// The names that decider's regular expression means.
fn names(query: &str) -> HashSet<String> {
    let pattern = unescaped(query.split("name_regex=").nth(1).unwrap_or_default());
    let pattern = pattern.trim_start_matches("^(?:").trim_end_matches(")$");
    pattern.split('|').map(|name| name.replace('\\', "")).collect()
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut found = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at(2);
        write!(found, "{}{rest}", char::from(u8::from_str_radix(code, 16).unwrap())).unwrap();
    }
    found
}
