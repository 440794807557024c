use nix::unistd::{Gid, Uid, geteuid};

use crate::nss::{self, LookupError};

/// The group whose members may look, where nothing else is said and there is one of that name.
pub const READERS: &str = "decider";

/// Whose members may do what over the control socket, beside root and the user that decider runs as, who may do all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    look: Option<Gid>,
    command: Option<Gid>,
}

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

impl Groups {
    /// Nobody's.
    #[must_use]
    pub const fn nobody() -> Self {
        Self { look: None, command: None }
    }

    /// The groups that are named. Where none is to look, [`READERS`] is, if there is one of that name; where none is to command,
    /// no group is.
    ///
    /// # Errors
    /// If a named group is not there, or the groups cannot be read.
    pub fn find(look: Option<&str>, command: Option<&str>) -> Result<Self, String> {
        Self::find_by(look, command, |name| Ok(nss::group(name)?.map(|group| group.gid)))
    }

    fn find_by(
        look: Option<&str>,
        command: Option<&str>,
        ask: impl Fn(&str) -> Result<Option<Gid>, LookupError>,
    ) -> Result<Self, String> {
        let named = |name: &str| ask(name).map_err(|error| failed(name, error))?.ok_or_else(|| missing(name));
        let look = if let Some(name) = look { Some(named(name)?) } else { readers(ask(READERS))? };
        Ok(Self { look, command: command.map(named).transpose()? })
    }

    /// The group that may look.
    #[must_use]
    pub const fn lookers(self) -> Option<Gid> {
        self.look
    }

    /// Whose the socket is, beside root: the group that may look, else the one that may command.
    #[must_use]
    pub fn of_the_socket(self) -> Option<Gid> {
        self.look.or(self.command)
    }

    /// What a user may do, if that can be said without asking the system's lists. `group` is the one that its process runs as.
    #[must_use]
    pub fn at_once(self, user: u32, group: u32) -> Option<Access> {
        let (user, group) = (Uid::from_raw(user), Some(Gid::from_raw(group)));
        if user.is_root() || user == geteuid() || (group == self.command) {
            return Some(Access::Command);
        }
        match (self.look, self.command) {
            (None, None) => Some(Access::None),
            (look, None) if look == group => Some(Access::Read),
            (_, _) => None,
        }
    }

    /// What a user may do, by the system's lists too. That may take long: they may be on another machine.
    #[must_use]
    pub fn access(self, user: u32, group: u32) -> Access {
        if let Some(access) = self.at_once(user, group) {
            return access;
        }
        let groups = nss::groups_of(Uid::from_raw(user), Gid::from_raw(group));
        let is_in = |wanted: Option<Gid>| wanted.is_some_and(|wanted| groups.contains(&wanted));
        match (is_in(self.command), is_in(self.look)) {
            (true, _) => Access::Command,
            (false, true) => Access::Read,
            (false, false) => Access::None,
        }
    }
}

/// The group that may look where none is named. Whose lists are on a machine that does not answer can do without.
fn readers(found: Result<Option<Gid>, LookupError>) -> Result<Option<Gid>, String> {
    match found {
        Ok(found) => Ok(found),
        Err(LookupError::Silent) => {
            tracing::warn!("{}: of users other than root none may look", failed(READERS, LookupError::Silent));
            Ok(None)
        }
        Err(error @ LookupError::System(_)) => Err(failed(READERS, error)),
    }
}

fn failed(name: &str, error: LookupError) -> String {
    format!("the group {name} cannot be looked up: {error}")
}

fn missing(name: &str) -> String {
    format!("there is no group {name} here: make it (`groupadd --system {name}`) or name another")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No such user or group is on any machine.
    const NOBODY_HAS: u32 = 4_000_000_001;
    const ANOTHER: u32 = NOBODY_HAS + 1;

    #[test]
    fn root_commands_members_look_and_others_do_nothing() {
        let groups = Groups { look: Some(Gid::from_raw(NOBODY_HAS)), command: None };
        assert_eq!(groups.access(0, 0), Access::Command);
        assert_eq!(groups.access(geteuid().as_raw(), NOBODY_HAS), Access::Command);
        assert_eq!(groups.access(NOBODY_HAS, NOBODY_HAS), Access::Read);
        assert_eq!(groups.access(NOBODY_HAS, NOBODY_HAS - 1), Access::None);
        assert_eq!(Groups::nobody().access(NOBODY_HAS, NOBODY_HAS), Access::None);
        assert_eq!(Groups::nobody().access(0, 5), Access::Command);
    }

    #[test]
    fn only_the_group_that_is_named_for_it_commands() {
        let groups = Groups { look: Some(Gid::from_raw(NOBODY_HAS)), command: Some(Gid::from_raw(ANOTHER)) };
        assert_eq!(groups.access(NOBODY_HAS, ANOTHER), Access::Command);
        assert_eq!(groups.access(NOBODY_HAS, NOBODY_HAS), Access::Read);
        assert_eq!(groups.access(NOBODY_HAS, ANOTHER + 1), Access::None);
        assert_eq!(groups.of_the_socket(), Some(Gid::from_raw(NOBODY_HAS)));
        let alone = Groups { look: None, ..groups };
        assert_eq!((alone.access(NOBODY_HAS, NOBODY_HAS), alone.of_the_socket()), (Access::None, alone.command));
    }

    #[test]
    fn the_systems_lists_are_asked_only_where_they_matter() {
        let groups = Groups { look: Some(Gid::from_raw(NOBODY_HAS)), command: None };
        assert_eq!(groups.at_once(0, 0), Some(Access::Command));
        assert_eq!(groups.at_once(NOBODY_HAS, NOBODY_HAS), Some(Access::Read));
        assert_eq!(groups.at_once(NOBODY_HAS, ANOTHER), None);
        // Who may look by one group may command by another.
        let both = Groups { command: Some(Gid::from_raw(ANOTHER)), ..groups };
        assert_eq!(both.at_once(NOBODY_HAS, NOBODY_HAS), None);
        assert_eq!(Groups::nobody().at_once(NOBODY_HAS, NOBODY_HAS), Some(Access::None));
    }

    #[test]
    fn lists_that_do_not_answer_are_an_error_only_for_who_named_a_group() {
        let silent = |_: &str| Err(LookupError::Silent);
        assert_eq!(Groups::find_by(None, None, silent), Ok(Groups::nobody()));
        for (look, command) in [(Some("some"), None), (None, Some("some"))] {
            let error = Groups::find_by(look, command, silent).unwrap_err();
            assert!(error.contains("the group some") && error.contains("nsswitch.conf"), "{error}");
        }
    }

    #[test]
    fn a_group_that_is_named_must_be_there() {
        let root = Some(Gid::from_raw(0));
        assert_eq!(Groups::find(Some("root"), Some("root")), Ok(Groups { look: root, command: root }));
        for find in [Groups::find(Some("no-such-group-here"), None), Groups::find(None, Some("no-such-group-here"))] {
            let error = find.unwrap_err();
            assert!(error.contains("groupadd --system no-such-group-here"), "{error}");
        }
    }
}
