use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::family::Pair;
use super::{Namespace, Process, eventually};

/// A real SSH server with a host key of its own.
pub struct Sshd {
    process: Process,
    /// Type and key, as `ssh-keyscan` prints them.
    pub key: String,
}

impl Sshd {
    /// Serves port 22 of an address of each family; its files go to `directory`.
    pub fn start(namespace: &Namespace, directory: &Path, name: &str, addresses: Pair) -> Self {
        let key = directory.join(format!("{name}.key"));
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&key).status();
        assert!(made.unwrap().success());
        let config = directory.join(format!("{name}.conf"));
        let [v4, v6] = addresses.both();
        let text = format!(
            "HostKey {}\nListenAddress {v4}\nListenAddress [{v6}]:22\nPidFile none\nUsePAM no\nLogLevel VERBOSE\n\
             MaxStartups 500\nStrictModes no\nAuthorizedKeysFile {}/authorized_keys\n\
             Subsystem sftp internal-sftp\n",
            key.display(),
            directory.display()
        );
        std::fs::write(&config, text).unwrap();
        // Where sshd keeps nothing, but wants a place for it.
        std::fs::create_dir_all("/run/sshd").unwrap();
        let mut command = Command::new("/usr/sbin/sshd");
        command.args(["-D", "-e", "-f"]).arg(&config);
        let process = Process::start(namespace, &mut command, &directory.join(format!("{name}.log")));
        eventually("an SSH server", || (process.log().matches("Server listening").count() == 2).then_some(()));
        Self { process, key: public_key(&key) }
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> usize {
        self.process.log().matches("Connection from ").count()
    }

    /// From where they came.
    pub fn came_only_from(&self, addresses: &[IpAddr]) -> bool {
        let log = self.process.log();
        let mut sources = log.lines().filter_map(|line| line.strip_prefix("Connection from "));
        sources.all(|line| addresses.iter().any(|address| line.starts_with(&format!("{address} "))))
    }
}

/// A key, `key`, by which a client gets in wherever that directory is an SSH server's.
pub fn make_key(directory: &Path) {
    let script = "ssh-keygen -q -t ed25519 -N '' -f key; cp key.pub authorized_keys";
    assert!(Command::new("sh").args(["-ec", script]).current_dir(directory).status().unwrap().success());
}

/// A repository of git with one commit, `first`; a key to get at it, and the `known_hosts` that a client of SSH needs.
pub fn make_repository(directory: &Path, hosts: &[(&str, &Sshd)]) {
    let known = hosts.iter().map(|(name, host)| format!("{name} {}\n", host.key));
    std::fs::write(directory.join("known_hosts"), known.collect::<String>()).unwrap();
    let script = "
        git init -q repository
        git -C repository -c user.name=a -c user.email=a@one.example commit -q --allow-empty -m first
    ";
    assert!(Command::new("sh").args(["-ec", script]).current_dir(directory).status().unwrap().success());
    make_key(directory);
}

fn public_key(key: &Path) -> String {
    let text = std::fs::read_to_string(key.with_extension("key.pub")).unwrap();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// A real resolver, which answers for these hosts and no others.
pub fn start_dnsmasq(namespace: &Namespace, directory: &Path, addresses: Pair, hosts: &[(&str, Pair)]) -> Process {
    let [v4, v6] = addresses.both();
    namespace.sh(&format!("ip addr add {v4}/32 dev lo; ip addr add {v6}/128 dev lo"));
    let mut command = Command::new("/usr/sbin/dnsmasq");
    command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root"]);
    command.args(["--pid-file=", "--bind-interfaces", "--log-facility=-", "--local-ttl=60"]);
    command.args([v4, v6].map(|address| format!("--listen-address={address}")));
    for (name, addresses) in hosts {
        let [v4, v6] = addresses.both();
        command.arg(format!("--host-record={name},{v4},{v6}"));
    }
    let process = Process::start(namespace, &mut command, &directory.join("dnsmasq.log"));
    eventually("a resolver", || process.log().contains("started").then_some(()));
    process
}

/// What a shell in a client sees as its resolver: the one at that address.
pub fn resolv_conf(directory: &Path, resolver: IpAddr) -> PathBuf {
    let path = directory.join(format!("resolv-{resolver}.conf"));
    let text = format!("nameserver {resolver}\noptions timeout:2 attempts:3\n");
    // One that is there may be being read.
    if std::fs::read_to_string(&path).ok().as_ref() != Some(&text) {
        std::fs::write(&path, text).unwrap();
    }
    path
}

/// A command that sees that file as its `/etc/resolv.conf`; program and arguments come behind.
pub fn with_resolv_conf(resolv_conf: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\""]).arg(resolv_conf);
    command
}

/// The keys that `ssh-keyscan` finds under a name, asked with the system's own resolver library.
pub fn keyscan(client: &Namespace, resolv_conf: &Path, family: &str, name: &str) -> String {
    let mut command = with_resolv_conf(resolv_conf);
    command.args(["ssh-keyscan", "-T", "10", "-t", "ed25519", family, name]);
    command.stdin(Stdio::null());
    let output = client.enter(|| command.output().unwrap());
    let text = String::from_utf8(output.stdout).unwrap();
    let found = text.trim().split_once(' ').map(|(_, key)| key.to_owned());
    found.unwrap_or_else(|| panic!("no key of {name}: {}", String::from_utf8_lossy(&output.stderr)))
}
