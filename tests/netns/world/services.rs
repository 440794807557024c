use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use super::family::Pair;
use super::{Namespace, Process, eventually};

/// Real servers of other protocols than SSH, each of which can say who it is.
pub struct Services {
    _processes: Vec<Process>,
}

impl Services {
    /// A Redis, a `PostgreSQL` and two NATS, all called by one name, on an address of each family. Their files go to a
    /// directory that every user may enter.
    pub fn start(namespace: &Namespace, directory: &Path, name: &str, addresses: Pair) -> Self {
        let [v4, v6] = addresses.both();
        let mut processes =
            vec![redis(namespace, directory, name, [v4, v6]), postgres(namespace, directory, name, [v4, v6])];
        processes.extend([v4, v6].map(|address| nats(namespace, directory, name, address)));
        Self { _processes: processes }
    }
}

fn redis(namespace: &Namespace, directory: &Path, name: &str, [v4, v6]: [IpAddr; 2]) -> Process {
    let mut command = Command::new("redis-server");
    command.args([
        "--port",
        "6379",
        "--bind",
        &v4.to_string(),
        &v6.to_string(),
        "--protected-mode",
        "no",
        "--save",
        "",
    ]);
    command.arg("--dir").arg(directory);
    let process = Process::start(namespace, &mut command, &directory.join(format!("{name}.redis.log")));
    eventually("Redis", || process.log().contains("Ready to accept connections").then_some(()));
    namespace.sh(&format!("redis-cli -h {v4} set who {name}"));
    process
}

fn nats(namespace: &Namespace, directory: &Path, name: &str, address: IpAddr) -> Process {
    let mut command = Command::new("nats-server");
    command.args(["--addr", &address.to_string(), "--port", "4222", "--name", name]);
    let process = Process::start(namespace, &mut command, &directory.join(format!("{name}.{address}.nats.log")));
    eventually("NATS", || process.log().contains("Server is ready").then_some(()));
    process
}

/// Makes a cluster and serves it, as the user that Debian makes for it: it runs as root for nobody.
const POSTGRES: &str = r#"
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
install -d -o postgres -g postgres "$1"
runuser -u postgres -- "$bin/initdb" --no-sync --auth=trust --username=postgres "$1/data"
echo 'host all all all trust' >>"$1/data/pg_hba.conf"
exec setpriv --reuid=postgres --regid=postgres --clear-groups "$bin/postgres" -D "$1/data" -k "$1" -h "$2" -c cluster_name="$3"
"#;

fn postgres(namespace: &Namespace, directory: &Path, name: &str, [v4, v6]: [IpAddr; 2]) -> Process {
    let mut command = Command::new("sh");
    command.current_dir("/").args(["-ec", POSTGRES, "sh"]);
    command.arg(directory.join(format!("{name}.postgres"))).args([format!("{v4},{v6}"), name.to_owned()]);
    let process = Process::start(namespace, &mut command, &directory.join(format!("{name}.postgres.log")));
    eventually("PostgreSQL", || process.log().contains("ready to accept connections").then_some(()));
    process
}
