use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Namespace, Process, eventually};

/// Where its stub listens.
pub const STUB: &str = "127.0.0.53";

/// In a `/run` of its own, where there is no D-Bus, with the user that it wants to be, in a mount namespace that ends
/// with it. $0 is the program, $1 the folder of its library, $2 that of the user files, $3 the configuration.
const START: &str = r#"
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/resolved.conf.d
printf '%s' "$3" >/run/systemd/resolved.conf.d/test.conf
for file in passwd group; do
    grep -v '^systemd-resolve:' /etc/$file >"$2/$file"
    case $file in
    passwd) echo 'systemd-resolve:x:64970:64970::/:/usr/sbin/nologin' ;;
    group) echo 'systemd-resolve:x:64970:' ;;
    esac >>"$2/$file"
    mount --bind "$2/$file" /etc/$file
done
export LD_LIBRARY_PATH="$1" SYSTEMD_LOG_TARGET=console
exec "$0"
"#;

/// A real systemd-resolved as the stub of a client, without D-Bus.
pub fn start_resolved(client: &Namespace, directory: &Path, upstream: &[IpAddr]) -> Process {
    let servers = upstream.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(" ");
    let config = format!(
        "[Resolve]\nDNS={servers}\nFallbackDNS=\nDomains=~.\nLLMNR=no\nMulticastDNS=no\nDNSSEC=no\nDNSOverTLS=no\n"
    );
    let (program, library) = program();
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-ec", START]).args([&program, &library]).arg(directory).arg(config);
    let process = Process::start(client, &mut command, &directory.join("resolved.log"));
    let listens = format!("{STUB}%lo:53 ");
    eventually("systemd-resolved", || client.sh("ss -lun").contains(&listens).then_some(()));
    process
}

/// The machine's own, or what `tests/setup` puts into `.deps` with its library beside it.
fn program() -> (PathBuf, PathBuf) {
    let folders = [Path::new("/usr/lib/systemd"), &Path::new(env!("CARGO_MANIFEST_DIR")).join(".deps/resolved")];
    let found = folders.iter().map(|folder| folder.join("systemd-resolved")).find(|program| program.exists());
    let program = found.expect("no systemd-resolved: run tests/setup");
    let folder = program.parent().unwrap().to_owned();
    (program, folder)
}
