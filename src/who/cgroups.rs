use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use lru::LruCache;

use super::Budget;

/// Control groups that are remembered.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).unwrap();
/// Where the second version of control groups is mounted, alone or beside the first.
const ROOTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/// The control groups by their number, which is that of their folder.
pub struct Cgroups {
    root: Option<PathBuf>,
    paths: LruCache<u64, String>,
}

impl Cgroups {
    pub fn new() -> Self {
        let root = ROOTS.iter().map(PathBuf::from).find(|root| root.join("cgroup.subtree_control").exists());
        Self { root, paths: LruCache::new(REMEMBERED) }
    }

    /// Its path below the root, if it can be found within the budget.
    pub fn path(&mut self, number: u64, budget: &mut Budget) -> Option<String> {
        let root = self.root.clone()?;
        // Numbers are not given twice, but a group may be moved: it is looked at where it was.
        if let Some(path) = self.paths.get(&number)
            && budget.take()
            && number_of(&below(&root, path)) == Some(number)
        {
            return Some(path.clone());
        }
        self.paths.pop(&number);
        self.walk(&root, budget);
        self.paths.get(&number).cloned()
    }

    /// The processes in one.
    pub fn processes(&self, path: &str) -> Vec<i32> {
        let Some(root) = &self.root else { return vec![] };
        let list = fs::read_to_string(below(root, path).join("cgroup.procs")).unwrap_or_default();
        list.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// Looks at all there are.
    fn walk(&mut self, root: &Path, budget: &mut Budget) {
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            if !budget.take() {
                return;
            }
            if let (Some(number), Ok(inside)) = (number_of(&folder), folder.strip_prefix(root)) {
                self.paths.put(number, format!("/{}", inside.to_string_lossy()));
            }
            let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
            let inner = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            folders.extend(inner.map(|entry| entry.path()));
        }
    }
}

fn number_of(folder: &Path) -> Option<u64> {
    fs::metadata(folder).ok().map(|found| found.ino())
}

fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}
