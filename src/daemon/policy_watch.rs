//! Reloads when the policy file changes, if that is wanted (`run --watch`).
//!
//! Editors rename a new file over the old one, configuration managers swap a link somewhere on the way to it: so every
//! folder is watched in which such a thing can happen, and it is the content that counts.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::backend::View;
use super::offline::read_policy;
use super::options::StartError;

/// How long nothing may happen until what has happened is looked at: whoever writes does it in several steps.
const SILENCE: Duration = Duration::from_millis(200);
/// How often it is waited for silence at most.
const MOST: usize = 10;
/// Links on the way to a file that are followed (`ELOOP`, `path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// Watches the policy file of this run, in a thread of its own.
///
/// # Errors
/// If the kernel lets nobody watch files.
pub fn start(view: &Arc<View>) -> Result<(), StartError> {
    let failed = |source| StartError::system("watch the policy file", source);
    let path = view.options.policy_file.clone();
    // Before the content is read: nothing that happens after that is missed.
    let watch = watch(&path).map_err(failed)?;
    let seen = read_policy(&path).ok();
    let view = Arc::clone(view);
    let watching = move || {
        if let Err(error) = follow(watch, &path, seen, &view) {
            tracing::error!(%error, "the policy file is not watched any more: use `decider reload`");
        }
    };
    thread::Builder::new().name("policy-watch".into()).spawn(watching).map_err(failed)?;
    Ok(())
}

fn follow(mut watch: Inotify, path: &Path, mut seen: Option<Vec<u8>>, view: &View) -> io::Result<()> {
    loop {
        poll(&mut [PollFd::new(&watch, PollFlags::IN)], None)?;
        wait_for_silence(&watch)?;
        // Links may lead elsewhere by now.
        watch = self::watch(path)?;
        // While there is no file, the policy that is in force goes on; the file will come.
        let Ok(now) = read_policy(path) else { continue };
        if seen.as_ref() != Some(&now) {
            seen = Some(now);
            tracing::info!(policy = %path.display(), "the policy file has changed");
            view.reload_unattended();
        }
    }
}

fn wait_for_silence(watch: &Inotify) -> io::Result<()> {
    let silence = Timespec::try_from(SILENCE).map_err(io::Error::other)?;
    for _ in 0..MOST {
        while watch.read_events().is_ok() {}
        if poll(&mut [PollFd::new(watch, PollFlags::IN)], Some(&silence))? == 0 {
            break;
        }
    }
    Ok(())
}

/// Watches every folder in which something can happen that changes what is read at that path.
fn watch(path: &Path) -> io::Result<Inotify> {
    let events = AddWatchFlags::IN_CLOSE_WRITE
        | AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_MOVED_TO
        | AddWatchFlags::IN_MOVED_FROM
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_DELETE_SELF
        | AddWatchFlags::IN_MOVE_SELF
        | AddWatchFlags::IN_ONLYDIR;
    let watch = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    let mut watched = 0;
    for folder in folders(path) {
        match watch.add_watch(&folder, events) {
            Ok(_) => watched += 1,
            Err(error) => tracing::debug!(%error, folder = %folder.display(), "not watched"),
        }
    }
    if watched == 0 { Err(io::ErrorKind::NotFound.into()) } else { Ok(watch) }
}

/// The folders in which the file and every link on the way to it are named.
fn folders(path: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut links = 0;
    let mut reached = PathBuf::from("/");
    let mut ahead: Vec<OsString> = names(path);
    while let Some(name) = ahead.pop() {
        if name == ".." {
            reached.pop();
            continue;
        }
        let next = reached.join(&name);
        match std::fs::read_link(&next) {
            Ok(target) if links < MOST_LINKS => {
                links += 1;
                found.insert(reached.clone());
                if target.is_absolute() {
                    reached = PathBuf::from("/");
                }
                ahead.extend(names(&target));
            }
            Ok(_) | Err(_) if ahead.is_empty() => drop(found.insert(reached.clone())),
            Ok(_) | Err(_) => reached = next,
        }
    }
    found
}

/// The names of a path, the first one last.
fn names(path: &Path) -> Vec<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    };
    path.components().rev().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn each_folder_on_the_way_in_which_something_can_be_swapped_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["etc", "data-1", "else/deep"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        std::fs::write(root.join("data-1/policy.yaml"), "").unwrap();
        symlink("../data-1", root.join("etc/..data")).unwrap();
        symlink("..data/policy.yaml", root.join("etc/policy.yaml")).unwrap();
        symlink(root.join("etc"), root.join("else/deep/etc")).unwrap();
        let found = |path: &str| folders(&root.join(path));
        let expected = |names: &[&str]| names.iter().map(|name| root.join(name)).collect::<BTreeSet<_>>();
        assert_eq!(found("data-1/policy.yaml"), expected(&["data-1"]));
        assert_eq!(found("etc/policy.yaml"), expected(&["etc", "data-1"]));
        assert_eq!(found("else/deep/etc/policy.yaml"), expected(&["else/deep", "etc", "data-1"]));
        // What is not there yet may come; what leads in a circle ends.
        assert_eq!(found("etc/other.yaml"), expected(&["etc"]));
        symlink("loop", root.join("etc/loop")).unwrap();
        assert_eq!(found("etc/loop"), expected(&["etc"]));
    }
}
