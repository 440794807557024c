use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::Uid;
use serde::{Deserialize, Serialize};

use super::error::EnvoyError;
use crate::nss;
use crate::policy::User;

/// A user of this host, looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its number.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
}

impl Account {
    /// Finds the user that a policy names. A number that no user has stands for itself, and for its group.
    ///
    /// # Errors
    /// If there is no such user, or it is root, which is no user of Envoy's own.
    pub fn find(user: &User) -> Result<Self, EnvoyError> {
        let failed = |why: String| EnvoyError::User { user: user.to_string(), why };
        let found = match user {
            User::Name(name) => nss::user(name),
            User::Id(id) => nss::user_with(Uid::from_raw(*id)),
        };
        let found = found.map_err(|error| failed(error.to_string()))?;
        let account = match (found, user) {
            (Some(found), _) => Self { uid: found.uid.as_raw(), gid: found.gid.as_raw() },
            (None, User::Id(id)) => Self { uid: *id, gid: *id },
            (None, User::Name(_)) => return Err(failed("there is no such user here".to_owned())),
        };
        if account.uid == 0 || account.gid == 0 {
            return Err(failed("that is root, or in root's group".to_owned()));
        }
        Ok(account)
    }

    /// The first directory on the way to a path that this user may not enter, by owner, group and mode.
    pub fn closed_way(self, path: &Path) -> Option<PathBuf> {
        let may_enter = |folder: &Path| {
            folder.metadata().is_ok_and(|found| {
                let bit = match (found.uid() == self.uid, found.gid() == self.gid) {
                    (true, _) => 0o100,
                    (false, true) => 0o010,
                    (false, false) => 0o001,
                };
                found.mode() & bit != 0
            })
        };
        let mut folders: Vec<&Path> = path.ancestors().skip(1).collect();
        folders.reverse();
        folders.into_iter().find(|folder| !may_enter(folder)).map(Path::to_owned)
    }
}
