use std::fmt::Write;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use super::{Namespace, Process, eventually};

/// A real unbound that forwards and caches.
pub struct Unbound {
    _process: Process,
}

impl Unbound {
    /// Listens on addresses that the namespace has, and asks `upstream`. `options` are lines of its `server` clause.
    pub fn start(
        namespace: &Namespace,
        directory: &Path,
        listen: &[IpAddr],
        upstream: &[IpAddr],
        options: &[&str],
    ) -> Self {
        let path = directory.join(format!("unbound-{}.conf", listen[0]));
        std::fs::write(&path, config(listen, upstream, options)).unwrap();
        let mut command = Command::new("/usr/sbin/unbound");
        command.args(["-d", "-c"]).arg(&path);
        let process = Process::start(namespace, &mut command, &path.with_extension("log"));
        eventually("unbound", || process.log().contains("start of service").then_some(()));
        Self { _process: process }
    }
}

/// No trust anchor: the names' owners here sign nothing.
fn config(listen: &[IpAddr], upstream: &[IpAddr], options: &[&str]) -> String {
    let mut text = "server:
  chroot: \"\"
  username: \"\"
  pidfile: \"\"
  use-syslog: no
  logfile: \"\"
  verbosity: 1
  module-config: \"iterator\"
  do-not-query-localhost: no
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
"
    .to_owned();
    for address in listen {
        writeln!(text, "  interface: {address}").unwrap();
    }
    for option in options {
        writeln!(text, "  {option}").unwrap();
    }
    text.push_str("forward-zone:\n  name: \".\"\n");
    for address in upstream {
        writeln!(text, "  forward-addr: {address}").unwrap();
    }
    text
}
