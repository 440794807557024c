use std::ffi::CString;

use nix::unistd::{Gid, Group, Uid, User, geteuid, getgrouplist};

/// The group whose members may look, where nothing else is said and there is one of that name.
pub const READERS: &str = "decider";

/// Who may look over the control socket, beside those who may command: root, and the user that decider runs as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readers(Option<Gid>);

/// What a peer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// All.
    Command,
    /// Look.
    Read,
    /// Nothing.
    None,
}

impl Readers {
    /// Nobody.
    #[must_use]
    pub const fn nobody() -> Self {
        Self(None)
    }

    /// The members of a group that is named; those of [`READERS`] where none is, if there is one of that name.
    ///
    /// # Errors
    /// If the named group is not there, or the groups cannot be read.
    pub fn find(name: Option<&str>) -> Result<Self, String> {
        let wanted = name.unwrap_or(READERS);
        match Group::from_name(wanted) {
            Ok(Some(group)) => Ok(Self(Some(group.gid))),
            Ok(None) if name.is_none() => Ok(Self(None)),
            Ok(None) => {
                Err(format!("there is no group {wanted} here: make it (`groupadd --system {wanted}`) or name another"))
            }
            Err(error) => Err(format!("the group {wanted} cannot be looked up: {}", error.desc())),
        }
    }

    /// Whose the socket is, beside root.
    #[must_use]
    pub const fn group(self) -> Option<Gid> {
        self.0
    }

    /// What a user may do. `group` is the one that its process runs as; by the system's lists, it may have others.
    #[must_use]
    pub fn access(self, user: u32, group: u32) -> Access {
        let user = Uid::from_raw(user);
        if user.is_root() || user == geteuid() {
            return Access::Command;
        }
        match self.0 {
            Some(readers) if readers.as_raw() == group || is_member(user, Gid::from_raw(group), readers) => {
                Access::Read
            }
            Some(_) | None => Access::None,
        }
    }
}

fn is_member(user: Uid, own: Gid, group: Gid) -> bool {
    let Ok(Some(user)) = User::from_uid(user) else { return false };
    let Ok(name) = CString::new(user.name) else { return false };
    getgrouplist(&name, own).is_ok_and(|groups| groups.contains(&group))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No such user or group is on any machine.
    const NOBODY_HAS: u32 = 4_000_000_001;

    #[test]
    fn root_commands_members_look_and_others_do_nothing() {
        let readers = Readers(Some(Gid::from_raw(NOBODY_HAS)));
        assert_eq!(readers.access(0, 0), Access::Command);
        assert_eq!(readers.access(geteuid().as_raw(), NOBODY_HAS), Access::Command);
        assert_eq!(readers.access(NOBODY_HAS, NOBODY_HAS), Access::Read);
        assert_eq!(readers.access(NOBODY_HAS, NOBODY_HAS - 1), Access::None);
        assert_eq!(Readers::nobody().access(NOBODY_HAS, NOBODY_HAS), Access::None);
        assert_eq!(Readers::nobody().access(0, 5), Access::Command);
    }

    #[test]
    fn a_group_that_is_named_must_be_there() {
        assert_eq!(Readers::find(Some("root")), Ok(Readers(Some(Gid::from_raw(0)))));
        let error = Readers::find(Some("no-such-group-here")).unwrap_err();
        assert!(error.contains("groupadd --system no-such-group-here"), "{error}");
    }
}
