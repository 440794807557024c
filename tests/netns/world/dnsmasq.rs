use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;

use super::{Namespace, Process, eventually};

/// A real dnsmasq that forwards and caches.
pub struct Dnsmasq {
    process: Process,
}

impl Dnsmasq {
    /// Listens on addresses that the namespace has, and asks `upstream`.
    pub fn start(
        namespace: &Namespace,
        directory: &Path,
        listen: &[IpAddr],
        upstream: &[IpAddr],
        options: &[&str],
    ) -> Self {
        let mut command = Command::new("/usr/sbin/dnsmasq");
        command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root"]);
        command.args(["--pid-file=", "--bind-interfaces", "--log-facility=-"]);
        command.args(listen.iter().map(|address| format!("--listen-address={address}")));
        command.args(upstream.iter().map(|address| format!("--server={address}")));
        command.args(options);
        let name = format!("dnsmasq-{}.log", listen[0]);
        let process = Process::start(namespace, &mut command, &directory.join(name));
        eventually("dnsmasq", || process.log().contains("started").then_some(()));
        Self { process }
    }

    /// Empties its cache.
    pub fn forget(&self) {
        let before = self.cleared();
        self.process.signal(Signal::SIGHUP);
        eventually("an empty cache", || (self.cleared() > before).then_some(()));
    }

    fn cleared(&self) -> usize {
        self.process.log().matches("cleared cache").count()
    }

    pub fn log(&self) -> String {
        self.process.log()
    }
}
