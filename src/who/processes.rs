use std::num::NonZeroUsize;

use lru::LruCache;
use procfs::process::{FDTarget, Process, all_processes};

use super::Budget;

/// Processes that are asked first, since they had a connection of late.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(64).unwrap();

/// The processes of this host.
pub struct Processes {
    recent: LruCache<i32, ()>,
}

/// A process that has a socket open. All of it was read by way of one handle, so all of it is of one process.
pub struct Found {
    pub pid: i32,
    pub exe: Option<String>,
    pub cgroup: Option<String>,
}

/// What came of a look at one process.
enum Look {
    Has(Found),
    HasNot,
    /// There was no budget to see all of it.
    TooMuch,
}

impl Processes {
    pub fn new() -> Self {
        Self { recent: LruCache::new(REMEMBERED) }
    }

    /// A process that has the socket open now: of those that had one of late, of `likely` ones, of all; none if there is no
    /// such process, or it could not be found within the budget.
    pub fn with_socket(&mut self, inode: u32, likely: &[i32], budget: &mut Budget) -> Option<Found> {
        let recent: Vec<i32> =
            self.recent.iter().map(|(pid, ())| *pid).filter(|pid| likely.is_empty() || likely.contains(pid)).collect();
        let named = recent.iter().chain(likely).map(|&pid| Process::new(pid));
        // Opened one by one, each only if none before it has the socket.
        let all = std::iter::once_with(all_processes).flatten().flatten();
        for process in named.chain(all).flatten() {
            match look(&process, inode, budget) {
                Look::Has(found) => {
                    self.recent.put(found.pid, ());
                    return Some(found);
                }
                Look::HasNot => {}
                Look::TooMuch => return None,
            }
        }
        None
    }
}

fn look(process: &Process, inode: u32, budget: &mut Budget) -> Look {
    if !budget.take() {
        return Look::TooMuch;
    }
    let Ok(files) = process.fd() else { return Look::HasNot };
    for file in files.flatten() {
        if !budget.take() {
            return Look::TooMuch;
        }
        if matches!(file.target, FDTarget::Socket(number) if number == u64::from(inode)) {
            return Look::Has(found(process));
        }
    }
    Look::HasNot
}

fn found(process: &Process) -> Found {
    let groups = process.cgroups().map(|groups| groups.0).unwrap_or_default();
    let of = |wanted: &str| {
        let is_it = |controllers: &[String]| controllers.iter().any(|name| name == wanted);
        groups.iter().find(|group| if wanted.is_empty() { group.hierarchy == 0 } else { is_it(&group.controllers) })
    };
    // Where services are still put into the first version, the second has all of them in its root.
    let unified = of("").filter(|group| group.pathname != "/");
    let cgroup = unified.or_else(|| of("name=systemd")).or_else(|| of(""));
    Found {
        pid: process.pid,
        exe: process.exe().ok().map(|path| path.to_string_lossy().into_owned()),
        cgroup: cgroup.map(|group| group.pathname.clone()),
    }
}
