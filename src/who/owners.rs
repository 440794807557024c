use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::kernel::{Connection, Owner, Sockets};
use crate::model::{Moment, Who};

use super::Budget;
use super::cgroups::Cgroups;
use super::processes::Processes;

/// Steps a second that are taken to find out who it was, whatever comes; and how many at once after a quiet time. A busy host
/// has some ten thousand open files.
const STEPS_A_SECOND: u64 = 10_000;
const STEPS_AT_ONCE: u64 = 50_000;

/// Finds out who began connections of this host.
pub struct Owners {
    sockets: Sockets,
    cgroups: Cgroups,
    processes: Processes,
    budget: Budget,
}

impl Owners {
    /// For the network namespace that this is called in.
    ///
    /// # Errors
    /// If the system gives no socket.
    pub fn open(now: Moment) -> io::Result<Self> {
        let budget = Budget::new(STEPS_A_SECOND, STEPS_AT_ONCE, now);
        Ok(Self { sockets: Sockets::open()?, cgroups: Cgroups::new(), processes: Processes::new(), budget })
    }

    /// Who began a connection; `uid` is what the packet itself told. What is not known for sure is absent.
    pub fn of(&mut self, connection: &Connection, uid: Option<u32>, now: Moment) -> Who {
        let told = Who { uid, ..Who::default() };
        self.budget.fill(now);
        if !self.budget.take() {
            return told;
        }
        match self.sockets.owner(connection) {
            // Another user's socket has taken the place of the one that sent the packet.
            Ok(Some(owner)) if uid.is_none_or(|uid| uid == owner.uid) => self.behind(owner),
            Ok(_) | Err(_) => told,
        }
    }

    /// Who has a TCP connection from an address of this host to there now, each with its port here.
    ///
    /// # Errors
    /// If the kernel cannot be asked.
    pub fn connected(&mut self, from: IpAddr, to: SocketAddr, now: Moment) -> io::Result<Vec<(u16, Who)>> {
        self.budget.fill(now);
        let owners = self.sockets.connected(from, to)?;
        Ok(owners.into_iter().map(|owner| (owner.local.port(), self.behind(owner))).collect())
    }

    /// Steps taken so far.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.budget.taken()
    }

    fn behind(&mut self, owner: Owner) -> Who {
        let budget = &mut self.budget;
        let cgroup = owner.cgroup.and_then(|number| self.cgroups.path(number, budget));
        // In the root there may be everything, or nothing if services are in the first version of control groups.
        let told = cgroup.filter(|path| path != "/");
        let likely = told.as_deref().map(|path| self.cgroups.processes(path)).unwrap_or_default();
        let found = self.processes.with_socket(owner.inode, &likely, budget);
        let (pid, exe, of_process) =
            found.map_or((None, None, None), |found| (Some(found.pid), found.exe, found.cgroup));
        Who { uid: Some(owner.uid), pid: pid.and_then(|pid| u32::try_from(pid).ok()), exe, cgroup: told.or(of_process) }
    }
}
