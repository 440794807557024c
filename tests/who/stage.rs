use std::fs;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use decider::kernel::Connection;
use decider::model::Transport;

/// Runs a test in a fresh network namespace, with `lo` up.
pub fn in_namespace<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let inside = scope.spawn(|| {
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET)
                .expect("a network namespace can be made only by root");
            assert!(Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap().success());
            test()
        });
        inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

pub const LOOPBACKS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// A process of a user that has one connection open until it is dropped.
pub struct Caller {
    pub process: Child,
    pub connection: Connection,
    accepted: TcpStream,
}

impl Caller {
    /// Connects to a server of the test on that address.
    pub fn start(uid: u32, address: IpAddr) -> Self {
        let server = TcpListener::bind((address, 0)).unwrap();
        let remote = server.local_addr().unwrap();
        // Nothing but the shell itself has the connection: `read` is its own.
        let script = format!("exec 3<>/dev/tcp/{}/{} && read -r line <&3", address, remote.port());
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={uid}"), "--clear-groups", "bash", "-c", &script]);
        let process = command.stdin(Stdio::null()).spawn().unwrap();
        let (accepted, local) = server.accept().unwrap();
        Self { process, connection: Connection { transport: Transport::Tcp, local, remote }, accepted }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Kills it, and waits until its connection is gone.
    pub fn end(&mut self) {
        let _ = self.process.kill();
        self.process.wait().unwrap();
        let _ = self.accepted.read(&mut [0]);
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A control group of the second version that processes can be put into, removed when dropped; none if this machine has
/// none that can be written to.
pub struct Group {
    folder: PathBuf,
    pub path: String,
}

impl Group {
    pub fn new(name: &str) -> Option<Self> {
        let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(PathBuf::from);
        let root = roots.into_iter().find(|root| root.join("cgroup.subtree_control").exists())?;
        let name = format!("decider-test-{}-{name}", std::process::id());
        let folder = root.join(&name);
        fs::create_dir(&folder).ok()?;
        Some(Self { folder, path: format!("/{name}") })
    }

    pub fn take(&self, pid: u32) {
        fs::write(self.folder.join("cgroup.procs"), pid.to_string()).unwrap();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}

/// The owner of a process.
pub fn uid_of(pid: u32) -> u32 {
    fs::metadata(format!("/proc/{pid}")).unwrap().uid()
}

pub fn end(address: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(address, port)
}
