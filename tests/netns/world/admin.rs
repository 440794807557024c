use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use super::Gateway;

/// How many connections each of Envoy's listeners for SSH has had, by the name of its rule: Envoy's own count.
pub fn listener_connections(gateway: &Gateway) -> BTreeMap<String, u64> {
    let mut stream = UnixStream::connect(gateway.path("envoy/admin.sock")).unwrap();
    write!(stream, "GET /stats?filter=downstream_cx_total HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let counts = reply.lines().filter_map(|line| {
        let (name, count) = line.split_once(": ")?;
        let rule = name.strip_prefix("listener.")?.strip_suffix("/ssh.downstream_cx_total")?;
        Some((rule.strip_suffix("_22")?.to_owned(), count.trim().parse().ok()?))
    });
    counts.collect()
}
